// A carrier adapter for didflow in Node, on the topics alone. Write your carrier's calls where callCarrier is.
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, Partitioners, logLevel } from 'kafkajs'

const { DIDFLOW_KAFKA: brokers = '127.0.0.1:9092', DIDFLOW_TOPIC_PREFIX: prefix = '', DIDFLOW_CARRIER: carrier = 'acme',
  DIDFLOW_OUTCOMES: file = 'outcomes.jsonl', DIDFLOW_SESSION_TIMEOUT_MS: session = 30000 } = process.env

// command_id is the idempotency key, if the carrier takes one: after a crash a command can come here again.
async function callCarrier({ action, number, parameters, attempt }) {
  if (number.endsWith('9991')) return { outcome: 'failed', retryable: false, code: 'number_unknown' }
  if (number.endsWith('9992') && attempt === 1) return { outcome: 'failed', retryable: true, code: 'carrier_unavailable' }
  if (number.endsWith('9993') && attempt === 1)
    return { outcome: 'failed', retryable: true, code: 'rate_limited', retry_after_s: 1 }
  if (number.endsWith('9996')) await sleep(3000)
  console.log(action, number, JSON.stringify(parameters))
  return { outcome: 'succeeded', carrier_reference: randomUUID() }
}

// Final outcomes by command_id, one line each. A line that a crash has cut is skipped.
const outcomes = new Map()
for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])
  try { outcomes.set(...JSON.parse(line)) } catch { /* an empty or a cut line */ }

async function execute(command) {
  if (outcomes.has(command.command_id)) return outcomes.get(command.command_id)
  const outcome = await callCarrier(command).catch((error) =>
    ({ outcome: 'failed', retryable: true, code: 'adapter_error', message: error.name }))
  if (outcome.retryable) return outcome
  appendFileSync(file, `\n${JSON.stringify([command.command_id, outcome])}`, { flag: 'as' })
  outcomes.set(command.command_id, outcome)
  return outcome
}

async function answer(value) {
  let command
  try { command = JSON.parse(value) } catch { return }
  if (command?.type !== 'didflow.provisioning.commands.v1' || command.data?.carrier !== carrier) return
  const { did_id, number, account, command_id, attempt } = command.data
  const outcome = await execute(command.data)
  const time = new Date().toISOString()
  const result = { specversion: '1.0', id: randomUUID(), source: `/carriers/${carrier}`, subject: number, time,
    type: 'didflow.provisioning.results.v1', datacontenttype: 'application/json',
    causationid: command.id, correlationid: command.correlationid,
    data: { did_id, number, account, command_id, attempt, completed_at: time, ...outcome } }
  const messages = [{ key: number, value: JSON.stringify(result), headers: { 'content-type': 'application/cloudevents+json' } }]
  await producer.send({ topic: `${prefix}provisioning.results`, acks: -1, messages })
}

const kafka = new Kafka({ clientId: `adapter-${carrier}`, brokers: brokers.split(','), logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
const consumer = kafka.consumer({ groupId: `${prefix}adapter-${carrier}`, maxWaitTimeInMs: 100,
  sessionTimeout: Number(session), heartbeatInterval: session / 10 })
const last = new Map() // partition -> its last command, which its next one waits for: that keeps each number in order
let waiting = 0

async function inOrder(before, topic, partition, message) {
  await before
  await answer(message.value) // If this fails, no later offset may be committed: end, and be started again.
  waiting -= 1
  const offset = String(BigInt(message.offset) + 1n)
  await consumer.commitOffsets([{ topic, partition, offset }]).catch((error) => console.warn('not committed', error.name))
}

const ended = () => process.exit(1)
consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || ended())
process.once('SIGTERM', () => consumer.disconnect().then(() => Promise.all(last.values())).then(() => process.exit(0)))
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [`${prefix}provisioning.commands`], fromBeginning: true })
await consumer.run({ autoCommit: false, eachMessage: async ({ topic, partition, message }) => {
  waiting += 1
  last.set(partition, inOrder(last.get(partition), topic, partition, message))
  last.get(partition).catch(ended)
  if (waiting > 500) await last.get(partition)
} })
