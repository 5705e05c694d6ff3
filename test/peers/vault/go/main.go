// What github.com/hashicorp/vault/api makes of a server that speaks Vault's wire: reads one operation a line, carries it
// out with the library's own functions, and prints what came of it, one line each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/hashicorp/vault/api"
)

type operation struct {
	Op       string            `json:"op"`
	Path     string            `json:"path"`
	Role     string            `json:"role"`
	Jwt      string            `json:"jwt"`
	Data     map[string]any    `json:"data"`
	Cas      *int              `json:"cas"`
	Versions []int             `json:"versions"`
	Custom   map[string]string `json:"custom"`
}

func main() {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		panic(err)
	}
	client.SetMaxRetries(0)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked operation
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer, err := perform(client, asked)
		if err != nil {
			answer = refused(err)
		}
		if err := out.Encode(answer); err != nil {
			panic(err)
		}
	}
}

func perform(client *api.Client, asked operation) (any, error) {
	ctx := context.Background()
	kv := client.KVv2("secret")
	switch asked.Op {
	case "health":
		health, err := client.Sys().Health()
		if err != nil {
			return nil, err
		}
		return map[string]any{"initialized": health.Initialized, "sealed": health.Sealed}, nil
	case "login":
		client.ClearToken()
		secret, err := client.Logical().Write("auth/jwt/login", map[string]any{"role": asked.Role, "jwt": asked.Jwt})
		if err != nil {
			return nil, err
		}
		client.SetToken(secret.Auth.ClientToken)
		return map[string]any{"renewable": secret.Auth.Renewable}, nil
	case "self":
		secret, err := client.Auth().Token().LookupSelf()
		if err != nil {
			return nil, err
		}
		return map[string]any{"type": secret.Data["type"]}, nil
	case "put":
		var options []api.KVOption
		if asked.Cas != nil {
			options = append(options, api.WithCheckAndSet(*asked.Cas))
		}
		return written(kv.Put(ctx, asked.Path, asked.Data, options...))
	case "patch":
		return written(kv.Patch(ctx, asked.Path, asked.Data))
	case "get":
		secret, err := kv.Get(ctx, asked.Path)
		if err != nil {
			return nil, err
		}
		if secret.Data == nil {
			return map[string]any{"status": http.StatusNotFound, "deleted": !secret.VersionMetadata.DeletionTime.IsZero()}, nil
		}
		return map[string]any{"data": secret.Data, "version": secret.VersionMetadata.Version, "custom": secret.CustomMetadata}, nil
	case "list":
		secret, err := client.Logical().List("secret/metadata/" + asked.Path)
		if err != nil {
			return nil, err
		}
		if secret == nil {
			return map[string]any{"status": http.StatusNotFound}, nil
		}
		return map[string]any{"keys": secret.Data["keys"]}, nil
	case "metadata":
		return metadata(kv.GetMetadata(ctx, asked.Path))
	case "put-metadata":
		custom := map[string]any{}
		for key, value := range asked.Custom {
			custom[key] = value
		}
		return done(kv.PutMetadata(ctx, asked.Path, api.KVMetadataPutInput{CustomMetadata: custom}))
	case "delete":
		return done(kv.Delete(ctx, asked.Path))
	case "delete-versions":
		return done(kv.DeleteVersions(ctx, asked.Path, asked.Versions))
	case "undelete":
		return done(kv.Undelete(ctx, asked.Path, asked.Versions))
	case "destroy":
		return done(kv.Destroy(ctx, asked.Path, asked.Versions))
	case "delete-metadata":
		return done(kv.DeleteMetadata(ctx, asked.Path))
	}
	panic("no such operation: " + asked.Op)
}

func done(err error) (any, error) {
	return map[string]any{}, err
}

func written(secret *api.KVSecret, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return map[string]any{"version": secret.VersionMetadata.Version}, nil
}

func metadata(found *api.KVMetadata, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for number, version := range found.Versions {
		n, err := strconv.Atoi(number)
		if err != nil || n != version.Version {
			return nil, errors.New("a version is not what its key says")
		}
		switch {
		case version.Destroyed:
			versions[number] = "destroyed"
		case !version.DeletionTime.IsZero():
			versions[number] = "deleted"
		default:
			versions[number] = "there"
		}
	}
	return map[string]any{"current": found.CurrentVersion, "custom": found.CustomMetadata, "versions": versions}, nil
}

func refused(err error) any {
	var answered *api.ResponseError
	if errors.As(err, &answered) {
		return map[string]any{"status": answered.StatusCode, "errors": answered.Errors}
	}
	if errors.Is(err, api.ErrSecretNotFound) {
		return map[string]any{"status": http.StatusNotFound}
	}
	return map[string]any{"failed": err.Error()}
}
