// SPDX-License-Identifier: BSD-3-Clause

// Asks a server what Tailscale's programs ask, with Tailscale's own client, and prints TAP. In the environment: BASE_URL,
// API_KEY (of a user, "alice"), NODE (the id of a node "laptop" that advertises 10.7.0.0/16; there is a policy with
// tag:a and tag:k8s).
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	tailscale "tailscale.com/client/tailscale/v2"
)

var (
	ctx    = context.Background()
	count  int
	failed bool
)

func check(name string, good bool, detail ...any) {
	count++
	if good {
		fmt.Printf("ok %d - %s\n", count, name)
		return
	}
	failed = true
	fmt.Printf("not ok %d - %s\n# %v\n", count, name, detail)
}

// The status that an error of the client stands for; 0: none.
func status(err error) int {
	var e tailscale.APIError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

func client(auth tailscale.Auth, key string) *tailscale.Client {
	base, err := url.Parse(os.Getenv("BASE_URL"))
	if err != nil {
		panic(err)
	}
	return &tailscale.Client{BaseURL: base, APIKey: key, Auth: auth}
}

func devices(c *tailscale.Client, id string) {
	all, err := c.Devices().List(ctx)
	check("devices are listed", err == nil && len(all) == 1 && all[0].NodeID == id && all[0].Hostname == "laptop", all, err)
	d, err := c.Devices().GetWithAllFields(ctx, id)
	check("a device is read with its routes", err == nil && d.User == "alice" && d.Authorized && slices.Contains(d.AdvertisedRoutes, "10.7.0.0/16") &&
		len(d.EnabledRoutes) == 0 && len(d.Addresses) == 2 && strings.HasPrefix(d.NodeKey, "nodekey:"), d, err)
	_, err = c.Devices().Get(ctx, "4711")
	check("one that is not there is not found", tailscale.IsNotFound(err), err)
	err = c.Devices().SetSubnetRoutes(ctx, id, []string{"10.7.0.0/16"})
	routes, err2 := c.Devices().SubnetRoutes(ctx, id)
	check("routes are approved", err == nil && err2 == nil && slices.Equal(routes.Enabled, []string{"10.7.0.0/16"}) &&
		slices.Equal(routes.Advertised, []string{"10.7.0.0/16"}), routes, err, err2)
	err = c.Devices().SetName(ctx, id, "box")
	d, err2 = c.Devices().Get(ctx, id)
	check("a device is renamed", err == nil && err2 == nil && d.Name == "box", d, err, err2)
	err = c.Devices().SetAuthorized(ctx, id, false)
	d, err2 = c.Devices().Get(ctx, id)
	check("it may no longer take part", err == nil && err2 == nil && !d.Authorized, d, err, err2)
	err = c.Devices().SetAuthorized(ctx, id, true)
	d, err2 = c.Devices().Get(ctx, id)
	check("it may again", err == nil && err2 == nil && d.Authorized, d, err, err2)
	err = c.Devices().SetKey(ctx, id, tailscale.DeviceKey{KeyExpiryDisabled: true})
	d, err2 = c.Devices().Get(ctx, id)
	check("its key never expires", err == nil && err2 == nil && d.KeyExpiryDisabled, d, err, err2)
	err = c.Devices().SetTags(ctx, id, []string{"tag:a"})
	d, err2 = c.Devices().Get(ctx, id)
	check("it is tagged", err == nil && err2 == nil && slices.Equal(d.Tags, []string{"tag:a"}) && d.User == "tagged-devices", d, err, err2)
	err = c.Devices().SetTags(ctx, id, []string{"tag:nobody"})
	check("a tag that the policy does not name is refused", status(err) == 400, err)
	check("no tags change nothing", c.Devices().SetTags(ctx, id, nil) == nil)
}

func keys(c *tailscale.Client) {
	var ask tailscale.CreateKeyRequest
	ask.Capabilities.Devices.Create.Tags = []string{"tag:a"}
	ask.Capabilities.Devices.Create.Reusable = true
	ask.Capabilities.Devices.Create.Preauthorized = true
	ask.ExpirySeconds = 3600
	ask.Description = "ci"
	made, err := c.Keys().CreateAuthKey(ctx, ask)
	check("an auth key is made", err == nil && strings.HasPrefix(made.Key, "hskey-auth-") && made.KeyType == "auth", made, err)
	if err != nil {
		return
	}
	k, err := c.Keys().Get(ctx, made.ID)
	check("it is read without its secret", err == nil && k.Key == "" && k.Description == "ci" && !k.Invalid &&
		slices.Equal(k.Capabilities.Devices.Create.Tags, []string{"tag:a"}) && k.ExpirySeconds != nil && *k.ExpirySeconds == 3600 &&
		k.Capabilities.Devices.Create.Reusable && k.Capabilities.Devices.Create.Preauthorized, k, err)
	own, err := c.Keys().CreateAuthKey(ctx, tailscale.CreateKeyRequest{})
	check("one without tags is the user's, for 90 days", err == nil && own.UserID != "" && own.Expires.Sub(own.Created).Round(time.Second).Hours() == 90*24, own, err)
	err = c.Keys().Delete(ctx, made.ID)
	k, err2 := c.Keys().Get(ctx, made.ID)
	check("a deleted one is revoked", err == nil && err2 == nil && k.Invalid && !k.Revoked.IsZero(), k, err, err2)
	check("and cannot be deleted again", tailscale.IsNotFound(c.Keys().Delete(ctx, made.ID)))
	_, err = c.Keys().Get(ctx, "4711")
	check("a key that is not there is not found", tailscale.IsNotFound(err), err)
	_, err = c.Keys().CreateOAuthClient(ctx, tailscale.CreateOAuthClientRequest{Scopes: []string{"auth_keys"}})
	check("a client for auth keys needs tags", status(err) == 400, err)
}

func policy(c *tailscale.Client) {
	raw, err := c.PolicyFile().Raw(ctx)
	check("the policy is read as it was written", err == nil && strings.Contains(raw.HuJSON, "// owners") && raw.ETag != "", raw, err)
	if err != nil {
		return
	}
	acl, err := c.PolicyFile().Get(ctx)
	check("and as JSON", err == nil && len(acl.TagOwners) == 2 && acl.ETag == raw.ETag, acl, err)
	next := strings.Replace(raw.HuJSON, "// owners", "// owners of tags", 1)
	check("it is valid", c.PolicyFile().Validate(ctx, raw.HuJSON) == nil)
	err = c.PolicyFile().Validate(ctx, `{"acls":[{"action":"accept","src":["tag:none"],"dst":["*:*"]}]}`)
	check("another is not", err != nil && strings.Contains(err.Error(), "tag:none"), err)
	err = c.PolicyFile().Validate(ctx, `{"acls":[],"tests":[{"src":"alice@","accept":["100.64.0.1:22"]}]}`)
	check("nor one whose tests fail", err != nil && strings.Contains(err.Error(), "failed"), err)
	err = c.PolicyFile().Validate(ctx, []tailscale.ACLTest{{Source: "tag:a", Deny: []string{"100.64.0.1:22"}}})
	check("tests alone are those of the policy in force, and these fail", err != nil && strings.Contains(err.Error(), "failed"), err)
	check("others hold", c.PolicyFile().Validate(ctx, []tailscale.ACLTest{{Source: "tag:a", Accept: []string{"100.64.0.1:22"}}}) == nil)
	err = c.PolicyFile().Set(ctx, next, "0000")
	check("with the hash of another one it is not replaced", status(err) == http.StatusPreconditionFailed, err)
	err = c.PolicyFile().Set(ctx, next, "ts-default")
	check("nor as the first", status(err) == http.StatusPreconditionFailed, err)
	err = c.PolicyFile().Set(ctx, next, raw.ETag)
	check("with its own hash it is", err == nil, err)
	err = c.PolicyFile().Set(ctx, raw.HuJSON, raw.ETag)
	check("once", status(err) == http.StatusPreconditionFailed, err)
	err = c.PolicyFile().Set(ctx, `{"acls":[`, "")
	check("what cannot be read is refused", status(err) == 400, err)
	again, err := c.PolicyFile().Raw(ctx)
	check("and nothing of it is kept", err == nil && again.HuJSON == next, again, err)
}

func tailnet(c *tailscale.Client) {
	users, err := c.Users().List(ctx, nil, nil)
	check("users are listed", err == nil && len(users) == 1 && users[0].LoginName == "alice" && users[0].Role == "owner", users, err)
	role := tailscale.UserRoleAdmin
	some, err := c.Users().List(ctx, nil, &role)
	check("by role", err == nil && len(some) == 0, some, err)
	if len(users) == 1 {
		u, err := c.Users().Get(ctx, users[0].ID)
		check("one is read", err == nil && u.Status == "active" && u.Type == "member", u, err)
	}
	_, err = c.Users().Get(ctx, "x")
	check("one that is not there is not found", tailscale.IsNotFound(err), err)
	s, err := c.TailnetSettings().Get(ctx)
	check("settings are read", err == nil && s.DevicesKeyDurationDays == 180 && !s.ACLsExternallyManagedOn, s, err)
	on := true
	err = c.TailnetSettings().Update(ctx, tailscale.UpdateTailnetSettingsRequest{DevicesApprovalOn: &on})
	check("but the configuration holds them", status(err) == 501, err)
	servers, err := c.DNS().Nameservers(ctx)
	check("name servers are read", err == nil && slices.Equal(servers, []string{"192.0.2.53"}), servers, err)
	paths, err := c.DNS().SearchPaths(ctx)
	check("search paths", err == nil && slices.Equal(paths, []string{"lab.example.com"}), paths, err)
	split, err := c.DNS().SplitDNS(ctx)
	check("name servers by domain", err == nil && slices.Equal(split["corp.example.com"], []string{"192.0.2.54"}), split, err)
	pref, err := c.DNS().Preferences(ctx)
	check("preferences", err == nil && pref.MagicDNS, pref, err)
	all, err := c.DNS().Configuration(ctx)
	check("all of dns at once", err == nil && all.Preferences.MagicDNS && len(all.Nameservers) == 1 && all.Nameservers[0].Address == "192.0.2.53" &&
		len(all.SplitDNS) == 1, all, err)
}

func dns(c *tailscale.Client) {
	d := c.DNS()
	err := d.SetNameservers(ctx, []string{"192.0.2.1", "https://dns.example.com/q"})
	servers, err2 := d.Nameservers(ctx)
	check("name servers are set", err == nil && err2 == nil && slices.Equal(servers, []string{"192.0.2.1", "https://dns.example.com/q"}), servers, err, err2)
	err = d.SetNameservers(ctx, []string{"nowhere"})
	servers, err2 = d.Nameservers(ctx)
	check("what is no address is refused", status(err) == 400 && strings.Contains(err.Error(), "nowhere") && err2 == nil && len(servers) == 2, servers, err, err2)
	err = d.SetSearchPaths(ctx, []string{"a.example.com"})
	paths, err2 := d.SearchPaths(ctx)
	check("search paths are set", err == nil && err2 == nil && slices.Equal(paths, []string{"a.example.com"}), paths, err, err2)
	err = d.SetPreferences(ctx, tailscale.DNSPreferences{MagicDNS: false})
	pref, err2 := d.Preferences(ctx)
	check("MagicDNS is turned off", err == nil && err2 == nil && !pref.MagicDNS, pref, err, err2)
	split, err := d.UpdateSplitDNS(ctx, tailscale.SplitDNSRequest{"b.example.com": {"192.0.2.2"}, "corp.example.com": nil})
	check("single domains are changed", err == nil && len(split) == 1 && slices.Equal(split["b.example.com"], []string{"192.0.2.2"}), split, err)
	err = d.SetSplitDNS(ctx, tailscale.SplitDNSRequest{"c.example.com": {"192.0.2.3", "192.0.2.4"}})
	split, err2 = d.SplitDNS(ctx)
	check("all domains are replaced", err == nil && err2 == nil && len(split) == 1 && slices.Equal(split["c.example.com"], []string{"192.0.2.3", "192.0.2.4"}), split, err, err2)
	err = d.SetConfiguration(ctx, tailscale.DNSConfiguration{
		Nameservers: []tailscale.DNSConfigurationResolver{{Address: "192.0.2.5"}},
		SplitDNS:    map[string][]tailscale.DNSConfigurationResolver{"d.example.com": {{Address: "192.0.2.6"}}},
		Preferences: tailscale.DNSConfigurationPreferences{OverrideLocalDNS: true, MagicDNS: true}})
	all, err2 := d.Configuration(ctx)
	check("all of dns is replaced", err == nil && err2 == nil && len(all.Nameservers) == 1 && all.Nameservers[0].Address == "192.0.2.5" && len(all.SearchPaths) == 0 &&
		len(all.SplitDNS["d.example.com"]) == 1 && all.Preferences.OverrideLocalDNS && all.Preferences.MagicDNS, all, err, err2)
}

func oauth(c *tailscale.Client, id string) {
	made, err := c.Keys().CreateOAuthClient(ctx, tailscale.CreateOAuthClientRequest{
		Scopes: []string{"devices:core", "auth_keys"}, Tags: []string{"tag:k8s"}, Description: "operator"})
	check("an OAuth client is made", err == nil && strings.HasPrefix(made.Key, "hskey-client-"), made, err)
	if err != nil {
		return
	}
	o := client(&tailscale.OAuth{ClientID: made.ID, ClientSecret: made.Key}, "")
	list, err := o.Devices().List(ctx)
	check("its tokens read devices", err == nil && len(list) == 1, list, err)
	_, err = o.PolicyFile().Raw(ctx)
	check("and not the policy", status(err) == 403, err)
	var ask tailscale.CreateKeyRequest
	ask.Capabilities.Devices.Create.Tags = []string{"tag:k8s"}
	k, err := o.Keys().CreateAuthKey(ctx, ask)
	check("they make keys with its tags", err == nil && strings.HasPrefix(k.Key, "hskey-auth-"), k, err)
	ask.Capabilities.Devices.Create.Tags = []string{"tag:a"}
	_, err = o.Keys().CreateAuthKey(ctx, ask)
	check("not with others", status(err) == 403, err)
	narrow := client(&tailscale.OAuth{ClientID: made.ID, ClientSecret: made.Key, Scopes: []string{"devices:core:read"}}, "")
	check("a narrow token reads", func() bool { _, err := narrow.Devices().Get(ctx, id); return err == nil }())
	check("and does not write", status(narrow.Devices().SetName(ctx, id, "x")) == 403)
	changed, err := c.Keys().SetOAuthClient(ctx, made.ID, tailscale.SetOAuthClientRequest{Scopes: []string{"users:read"}, Description: "reader"})
	check("a client is changed", err == nil && slices.Equal(changed.Scopes, []string{"users:read"}) && changed.Description == "reader" && changed.Key == "", changed, err)
	_, err = o.Devices().List(ctx)
	check("which ends its tokens", status(err) == 401, err)
	check("the client is deleted", c.Keys().Delete(ctx, made.ID) == nil)
	_, err = o.Devices().List(ctx)
	check("with its tokens", status(err) == 401, err)
}

func webhooks(c *tailscale.Client) {
	w, err := c.Webhooks().Create(ctx, tailscale.CreateWebhookRequest{EndpointURL: "https://hooks.example.com/x", ProviderType: tailscale.WebhookSlackProviderType,
		Subscriptions: []tailscale.WebhookSubscriptionType{tailscale.WebhookPolicyUpdate, tailscale.WebhookNodeCreated}})
	check("a webhook is made", err == nil && w.Secret != nil && strings.HasPrefix(*w.Secret, "tskey-webhook-") && w.ProviderType == "slack" &&
		w.EndpointURL == "https://hooks.example.com/x" && w.CreatorLoginName != "" && !w.Created.IsZero() && len(w.Subscriptions) == 2, w, err)
	if err != nil {
		return
	}
	all, err := c.Webhooks().List(ctx)
	check("webhooks are listed without secrets", err == nil && len(all) == 1 && all[0].EndpointID == w.EndpointID && all[0].Secret == nil, all, err)
	one, err := c.Webhooks().Get(ctx, w.EndpointID)
	check("one is read", err == nil && one.EndpointURL == w.EndpointURL && one.Secret == nil, one, err)
	one, err = c.Webhooks().Update(ctx, w.EndpointID, []tailscale.WebhookSubscriptionType{tailscale.WebhookCategoryTailnetManagement})
	check("its subscriptions are changed", err == nil && slices.Equal(one.Subscriptions, []tailscale.WebhookSubscriptionType{"categoryTailnetManagement"}) &&
		one.LastModified.After(one.Created), one, err)
	_, err = c.Webhooks().Update(ctx, w.EndpointID, []tailscale.WebhookSubscriptionType{"nodeExploded"})
	check("an unknown type is refused by its name", status(err) == 400 && strings.Contains(err.Error(), "nodeExploded"), err)
	one, err = c.Webhooks().RotateSecret(ctx, w.EndpointID)
	check("it gets another secret", err == nil && one.Secret != nil && *one.Secret != *w.Secret, one, err)
	check("a test is sent", c.Webhooks().Test(ctx, w.EndpointID) == nil)
	check("a webhook is deleted", c.Webhooks().Delete(ctx, w.EndpointID) == nil)
	_, err = c.Webhooks().Get(ctx, w.EndpointID)
	check("and not found then", tailscale.IsNotFound(err), err)
}

func main() {
	id := os.Getenv("NODE")
	c := client(nil, os.Getenv("API_KEY"))
	devices(c, id)
	keys(c)
	policy(c)
	tailnet(c)
	dns(c)
	oauth(c, id)
	webhooks(c)
	check("a device is deleted", c.Devices().Delete(ctx, id) == nil)
	_, err := c.Devices().Get(ctx, id)
	check("and gone", tailscale.IsNotFound(err), err)
	fmt.Printf("1..%d\n", count)
	if failed {
		os.Exit(1)
	}
}
