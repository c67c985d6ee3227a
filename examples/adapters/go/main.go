// A carrier adapter for didflow in Go, on the topics alone. carrier.go calls the carrier.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

var (
	brokers = cmp.Or(os.Getenv("DIDFLOW_KAFKA"), "127.0.0.1:9092")
	prefix  = os.Getenv("DIDFLOW_TOPIC_PREFIX")
	carrier = cmp.Or(os.Getenv("DIDFLOW_CARRIER"), "acme")
	folder  = cmp.Or(os.Getenv("DIDFLOW_OUTCOMES"), "outcomes")
	session = cmp.Or(os.Getenv("DIDFLOW_SESSION_TIMEOUT_MS"), "30000")
)

func main() {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	client := must(kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumeTopics(prefix+"provisioning.commands"),
		kgo.ConsumerGroup(prefix+"adapter-"+carrier),
		kgo.SessionTimeout(must(time.ParseDuration(session+"ms"))),
		kgo.HeartbeatInterval(time.Second),
		kgo.FetchMaxWait(100*time.Millisecond), // A partition is fetched again this soon after its commands.
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)),
		kgo.AutoCommitMarks(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, _ map[string][]int32) {
			running.Wait() // A partition moves to another process when its commands are answered.
			client.CommitMarkedOffsets(ctx)
		}),
		kgo.MaxVersions(kversion.V2_3_0()))) // The embedded Kafka does not know newer requests.
	defer client.CloseAllowingRebalance()
	stopped, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	for stopped.Err() == nil {
		client.PollRecords(stopped, 100).EachPartition(func(fetched kgo.FetchTopicPartition) {
			// The commands of a partition run one after another. The other partitions are read meanwhile.
			partition := map[string][]int32{fetched.Topic: {fetched.Partition}}
			client.PauseFetchPartitions(partition)
			running.Go(func() {
				for _, record := range fetched.Records {
					if result := answer(record.Value); result != nil {
						must(client.ProduceSync(context.Background(), result).First())
					}
					client.MarkCommitRecords(record)
				}
				client.ResumeFetchPartitions(partition)
			})
		})
		client.AllowRebalance()
	}
}

// answer executes a command and returns its result, or nil if the record is no command for this carrier.
func answer(value []byte) *kgo.Record {
	var event struct {
		ID, Type, CorrelationID string
		Data                    Command
	}
	err := json.Unmarshal(value, &event)
	c := event.Data
	if err != nil || event.Type != "didflow.provisioning.commands.v1" || c.Carrier != carrier {
		return nil
	}
	data := map[string]any{"did_id": c.DidID, "number": c.Number, "account": c.Account,
		"command_id": c.CommandID, "attempt": c.Attempt}
	maps.Copy(data, outcomeOf(c))
	result := must(json.Marshal(map[string]any{
		"specversion": "1.0", "id": rand.Text(), "source": "/carriers/" + carrier, "time": time.Now().UTC(),
		"type": "didflow.provisioning.results.v1", "subject": c.Number, "data": data,
		"causationid": event.ID, "correlationid": cmp.Or(event.CorrelationID, event.ID)}))
	headers := []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/cloudevents+json")}}
	return &kgo.Record{Topic: prefix + "provisioning.results", Key: []byte(c.Number), Value: result, Headers: headers}
}

// outcomeOf keeps what succeeded or failed for good in a file. It is answered again, and not executed again.
func outcomeOf(c Command) (outcome map[string]any) {
	file := filepath.Join(folder, url.PathEscape(c.CommandID)+".json")
	kept, err := os.ReadFile(file)
	if err == nil && json.Unmarshal(kept, &outcome) == nil { // A file that a crash has cut does not count.
		return outcome
	}
	outcome = execute(c)
	if outcome["retryable"] == true {
		return outcome
	}
	if err := os.WriteFile(file, must(json.Marshal(outcome)), 0o600); err != nil {
		log.Fatal(err)
	}
	return outcome
}

// must ends the process on an error. Start it again: it reads from the last commit on.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
