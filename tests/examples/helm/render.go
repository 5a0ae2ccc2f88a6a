// Renders a chart as `helm template` does, for machines without helm: it is in no package of
// Debian. The engine is helm's own: text/template with sprig, values of sub-charts and globals
// laid under the parent's, values.schema.json checked with gojsonschema. Left out: hooks,
// conditions of dependencies, files, lookups, and everything that asks a cluster.
//
// usage: render -f VALUES.yaml CHART; dependencies are the charts of their `file://` repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
	"github.com/xeipuuv/gojsonschema"
)

type values = map[string]interface{}

type chart struct {
	name, folder, kind string
	version            string
	values             values
	children           []*chart
}

func main() {
	top := load(os.Args[3])
	all := top.coalesce(read(os.Args[2]))
	top.validate(all)
	engine := template.New("helm").Option("missingkey=zero")
	engine.Funcs(functions(engine))
	texts := map[string]string{}
	top.parse(engine, "", texts)
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	sort.Strings(names)
	data := values{
		"Values":  all,
		"Release": values{"Name": "release", "Namespace": "default", "Service": "Helm"},
		"Chart":   values{"Name": top.name, "Version": top.version},
	}
	for _, name := range names {
		var out strings.Builder
		check(engine.ExecuteTemplate(&out, name, data), name)
		// A value that is missing prints as <no value> in text/template, and as nothing in helm.
		text := strings.ReplaceAll(out.String(), "<no value>", "")
		if strings.TrimSpace(text) != "" {
			fmt.Printf("---\n# Source: %s\n%s\n", name, strings.TrimSpace(text))
		}
	}
}

func load(folder string) *chart {
	about := read(filepath.Join(folder, "Chart.yaml"))
	found := &chart{folder: folder, kind: "application", values: values{}}
	found.name, found.version = about["name"].(string), about["version"].(string)
	if kind, is := about["type"].(string); is {
		found.kind = kind
	}
	if _, err := os.Stat(filepath.Join(folder, "values.yaml")); err == nil {
		found.values = read(filepath.Join(folder, "values.yaml"))
	}
	dependencies, _ := about["dependencies"].([]interface{})
	for _, each := range dependencies {
		where := each.(values)["repository"].(string)
		child := load(filepath.Join(folder, strings.TrimPrefix(where, "file://")))
		if child.name != each.(values)["name"] || child.version != each.(values)["version"] {
			fail("dependency %v is not the chart %s %s", each, child.name, child.version)
		}
		found.children = append(found.children, child)
	}
	return found
}

// coalesce lays the chart's own values under those given, and its children's under theirs.
func (c *chart) coalesce(given values) values {
	all := under(given, c.values)
	for _, child := range c.children {
		own, _ := all[child.name].(values)
		all[child.name] = child.coalesce(own)
	}
	return all
}

func under(over, below values) values {
	all := values{}
	for key, value := range below {
		all[key] = value
	}
	for key, value := range over {
		inner, isMap := value.(values)
		lower, wasMap := all[key].(values)
		switch {
		case value == nil:
			delete(all, key) // null takes a default away
		case isMap && wasMap:
			all[key] = under(inner, lower)
		default:
			all[key] = value
		}
	}
	return all
}

func (c *chart) validate(all values) {
	for _, child := range c.children {
		child.validate(all[child.name].(values))
	}
	schema, err := os.ReadFile(filepath.Join(c.folder, "values.schema.json"))
	if err != nil {
		return
	}
	result, err := gojsonschema.Validate(
		gojsonschema.NewBytesLoader(schema), gojsonschema.NewGoLoader(all))
	check(err, c.name)
	for _, problem := range result.Errors() {
		fmt.Fprintf(os.Stderr, "%s: - %s\n", c.name, problem)
	}
	if !result.Valid() {
		os.Exit(1)
	}
}

// parse adds all templates; those that print something, none of a library, are in texts.
func (c *chart) parse(engine *template.Template, prefix string, texts map[string]string) {
	for _, child := range c.children {
		child.parse(engine, prefix+c.name+"/charts/", texts)
	}
	paths, _ := filepath.Glob(filepath.Join(c.folder, "templates", "*"))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		check(err, path)
		name := prefix + c.name + "/templates/" + filepath.Base(path)
		_, err = engine.New(name).Parse(string(text))
		check(err, name)
		if c.kind != "library" && !strings.HasPrefix(filepath.Base(path), "_") {
			texts[name] = string(text)
		}
	}
}

func functions(engine *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := engine.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	all["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		check(err, "toYaml")
		return strings.TrimSuffix(string(text), "\n")
	}
	all["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return value, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	return all
}

func read(path string) values {
	text, err := os.ReadFile(path)
	check(err, path)
	found := values{}
	check(yaml.Unmarshal(text, &found), path)
	return found
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %s", what, err)
	}
}

func fail(format string, what ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", what...)
	os.Exit(1)
}
