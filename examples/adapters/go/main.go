// A carrier adapter for didflow in Go, on the topics alone. Write your carrier's calls where callCarrier is.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

type object = map[string]any

type command struct {
	ID, Type, CorrelationID string
	Data                    struct {
		CommandID                        string `json:"command_id"`
		DidID                            string `json:"did_id"`
		Number, Account, Carrier, Action string
		Attempt                          int
		Parameters                       json.RawMessage
	}
}

var (
	brokers  = cmp.Or(os.Getenv("DIDFLOW_KAFKA"), "127.0.0.1:9092")
	prefix   = os.Getenv("DIDFLOW_TOPIC_PREFIX")
	carrier  = cmp.Or(os.Getenv("DIDFLOW_CARRIER"), "acme")
	path     = cmp.Or(os.Getenv("DIDFLOW_OUTCOMES"), "outcomes.jsonl")
	session  = must(time.ParseDuration(cmp.Or(os.Getenv("DIDFLOW_SESSION_TIMEOUT_MS"), "30000") + "ms"))
	outcomes sync.Map // command_id -> final outcome
)

// CommandID is the idempotency key, if the carrier takes one: after a crash a command can come here again.
func callCarrier(c *command) object {
	if strings.HasSuffix(c.Data.Number, "9991") {
		return object{"outcome": "failed", "retryable": false, "code": "number_unknown"}
	}
	if strings.HasSuffix(c.Data.Number, "9992") && c.Data.Attempt == 1 {
		return object{"outcome": "failed", "retryable": true, "code": "carrier_unavailable"}
	}
	if strings.HasSuffix(c.Data.Number, "9993") && c.Data.Attempt == 1 {
		return object{"outcome": "failed", "retryable": true, "code": "rate_limited", "retry_after_s": 1}
	}
	if strings.HasSuffix(c.Data.Number, "9996") {
		time.Sleep(3 * time.Second)
	}
	fmt.Println(c.Data.Action, c.Data.Number, string(c.Data.Parameters))
	return object{"outcome": "succeeded", "carrier_reference": rand.Text()}
}

// readOutcomes reads the final outcomes, one line each. A line that a crash has cut is skipped.
func readOutcomes() *os.File {
	known, _ := os.ReadFile(path)
	for line := range bytes.Lines(known) {
		var kept object
		if json.Unmarshal(line, &kept) == nil {
			outcomes.Store(kept["command_id"], kept["outcome"])
		}
	}
	return must(os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY|os.O_SYNC, 0o600))
}

func execute(c *command, kept *os.File) object {
	if known, ok := outcomes.Load(c.Data.CommandID); ok {
		return known.(object)
	}
	outcome := callCarrier(c)
	if outcome["retryable"] != true {
		line := must(json.Marshal(object{"command_id": c.Data.CommandID, "outcome": outcome}))
		must(kept.Write(append([]byte("\n"), line...)))
		outcomes.Store(c.Data.CommandID, outcome)
	}
	return outcome
}

func result(c *command, outcome object) *kgo.Record {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	data := object{"did_id": c.Data.DidID, "number": c.Data.Number, "account": c.Data.Account,
		"command_id": c.Data.CommandID, "attempt": c.Data.Attempt, "completed_at": now}
	maps.Copy(data, outcome)
	event := object{"specversion": "1.0", "id": rand.Text(), "source": "/carriers/" + carrier, "subject": c.Data.Number,
		"type": "didflow.provisioning.results.v1", "time": now, "datacontenttype": "application/json",
		"causationid": c.ID, "correlationid": cmp.Or(c.CorrelationID, c.ID), "data": data}
	headers := []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/cloudevents+json")}}
	topic := prefix + "provisioning.results"
	return &kgo.Record{Topic: topic, Key: []byte(c.Data.Number), Value: must(json.Marshal(event)), Headers: headers}
}

func main() {
	var running sync.WaitGroup
	kept, ctx := readOutcomes(), context.Background()
	stopped, _ := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	client := must(kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumerGroup(prefix+"adapter-"+carrier),
		kgo.ConsumeTopics(prefix+"provisioning.commands"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(session/10), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.MaxVersions(kversion.V2_3_0()), // The embedded Kafka of `make up` does not know newer requests.
		kgo.OnPartitionsRevoked(func(context.Context, *kgo.Client, map[string][]int32) { running.Wait() }),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))) // murmur2 of the key, as Java
	defer client.Close()
	for stopped.Err() == nil {
		client.PollRecords(stopped, 500).EachPartition(func(read kgo.FetchTopicPartition) {
			if len(read.Records) == 0 {
				return
			}
			// A partition has all commands of a number. It runs them one after another, and is read again after that.
			partition := map[string][]int32{read.Topic: {read.Partition}}
			client.PauseFetchPartitions(partition)
			running.Go(func() {
				for _, record := range read.Records {
					var c command
					isEvent := json.Unmarshal(record.Value, &c) == nil && c.Type == "didflow.provisioning.commands.v1"
					if isEvent && c.Data.Carrier == carrier {
						must(client.ProduceSync(ctx, result(&c, execute(&c, kept))).First())
					}
				}
				if err := client.CommitRecords(ctx, read.Records...); err != nil {
					log.Println("offsets were not committed; commands may be read again:", err)
				}
				client.ResumeFetchPartitions(partition)
			})
		})
		client.AllowRebalance()
	}
	running.Wait()
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
