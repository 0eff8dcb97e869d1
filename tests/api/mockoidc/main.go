// SPDX-License-Identifier: BSD-3-Clause

// Runs the provider that headscale's own tests use, for one user, and prints where it is. It ends with its input.
package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/oauth2-proxy/mockoidc"
)

func main() {
	m, err := mockoidc.Run()
	if err != nil {
		panic(err)
	}
	for range 4 {
		m.QueueUser(&mockoidc.MockUser{Subject: "1234", Email: "mock@example.com", EmailVerified: true, PreferredUsername: "mock", Groups: []string{"eng"}})
	}
	json.NewEncoder(os.Stdout).Encode(map[string]string{"issuer": m.Issuer(), "id": m.ClientID, "secret": m.ClientSecret})
	io.Copy(io.Discard, os.Stdin)
	m.Shutdown()
}
