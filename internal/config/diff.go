package config

import (
	"fmt"
	"reflect"
	"slices"
)

// Diff returns the key paths in which two configurations differ, in the order
// of the reference. A list that changed is named as a whole.
func Diff(was, is *Config) []string {
	var paths []string
	diff(reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem(), "", &paths)
	return paths
}

func diff(a, b reflect.Value, path string, paths *[]string) {
	if _, leaf := a.Addr().Interface().(fmt.Stringer); a.Kind() == reflect.Struct && !leaf {
		for i := range a.NumField() {
			diff(a.Field(i), b.Field(i), join(path, a.Type().Field(i).Tag.Get("yaml")), paths)
		}
		return
	}
	if !reflect.DeepEqual(a.Interface(), b.Interface()) {
		*paths = append(*paths, path)
	}
}

// NeedsRestart says whether a change of the key at path has no effect on a
// running daemon.
func NeedsRestart(path string) bool {
	return slices.Contains([]string{"milter", "store.path", "store.group", "reports.keep", "reports.size", "admin.listen", "webhook.listen"}, path)
}
