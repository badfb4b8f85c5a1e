package bench

// NewMedians makes medians of samples.
func NewMedians(samples []Sample) Medians { return Medians{samples} }

var ProfileName = profileName
