package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"strings"
	"time"
)

// Command is the data of a carrier command. CommandID is the idempotency key, if the carrier takes one.
type Command struct {
	DidID                            string `json:"did_id"`
	CommandID                        string `json:"command_id"`
	Number, Account, Carrier, Action string
	Attempt                          int
	Parameters                       json.RawMessage
}

// execute is your carrier: replace its body. The numbers here answer as docs/conformance.md says.
func execute(c Command) map[string]any {
	switch {
	case strings.HasSuffix(c.Number, "9991"):
		return map[string]any{"outcome": "failed", "code": "number_unknown"}
	case strings.HasSuffix(c.Number, "9992") && c.Attempt == 1:
		return map[string]any{"outcome": "failed", "code": "carrier_unavailable", "retryable": true}
	case strings.HasSuffix(c.Number, "9993") && c.Attempt == 1:
		return map[string]any{"outcome": "failed", "code": "rate_limited", "retryable": true, "retry_after_s": 1}
	case strings.HasSuffix(c.Number, "9996"):
		time.Sleep(3 * time.Second)
	}
	log.Println(c.CommandID, c.Action)
	return map[string]any{"outcome": "succeeded", "carrier_reference": rand.Text()}
}
