package repo

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Files returns the names of the files that belong to the repository, committed or not, with
// slashes.
func Files(root string) (names []string, err error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err == nil { // not deleted
			names = append(names, name)
		}
	}
	return names, nil
}

// Copy copies the files of the repository into an empty folder.
func Copy(to, root string) error {
	names, err := Files(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		name = filepath.FromSlash(name)
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := copyFile(target, filepath.Join(root, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}
