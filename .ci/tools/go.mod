module github.com/planrooms/planrooms/ci/tools

go 1.25.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/licensecheck v0.3.1
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/mod v0.38.0
)
