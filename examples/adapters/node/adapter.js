// A carrier adapter for didflow in Node, on the topics alone. carrier.js calls the carrier.
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { execute } from './carrier.js'

const { DIDFLOW_KAFKA: brokers = '127.0.0.1:9092', DIDFLOW_TOPIC_PREFIX: prefix = '' } = process.env
const { DIDFLOW_CARRIER: carrier = 'acme', DIDFLOW_OUTCOMES: folder = 'outcomes' } = process.env
const sessionTimeout = Number(process.env.DIDFLOW_SESSION_TIMEOUT_MS ?? 30000)
const times = { sessionTimeout, heartbeatInterval: sessionTimeout / 10, maxWaitTimeInMs: 100 }

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
const consumer = kafka.consumer({ groupId: `${prefix}adapter-${carrier}`, ...times })
const unavailable = () => ({ outcome: 'failed', retryable: true, code: 'carrier_unavailable' })
const parse = async (value) => JSON.parse(value)

// What succeeded or failed for good is kept in a file. It is answered again, and not executed again.
async function outcomeOf(command) {
  const file = `${folder}/${encodeURIComponent(command.command_id)}.json`
  if (existsSync(file)) return JSON.parse(readFileSync(file))
  const outcome = await execute(command).catch(unavailable)
  if (outcome.retryable) return outcome
  writeFileSync(`${file}.new`, JSON.stringify(outcome), { flush: true })
  renameSync(`${file}.new`, file) // The file is there whole, or not at all.
  return outcome
}

async function answer(value) {
  const event = await parse(value).catch(() => null)
  if (event?.type !== 'didflow.provisioning.commands.v1' || event.data?.carrier !== carrier) return
  const { did_id, number, account, command_id, attempt } = event.data
  const data = { did_id, number, account, command_id, attempt, ...(await outcomeOf(event.data)) }
  const cause = { causationid: event.id, correlationid: event.correlationid }
  const origin = { id: randomUUID(), source: `/carriers/${carrier}`, time: new Date() }
  const type = 'didflow.provisioning.results.v1'
  const result = { specversion: '1.0', type, subject: number, ...origin, ...cause, data }
  const headers = { 'content-type': 'application/cloudevents+json' }
  const messages = [{ key: number, value: JSON.stringify(result), headers }]
  await producer.send({ topic: `${prefix}provisioning.results`, messages })
}

// The commands of a partition run one after another. An error ends the process: start it again.
async function answerAll({ topic, partition, messages }, resume) {
  for (const { value, offset } of messages) {
    await answer(value)
    const next = String(BigInt(offset) + 1n)
    await consumer.commitOffsets([{ topic, partition, offset: next }]).catch(console.warn)
  }
  resume()
}

process.once('SIGTERM', () => consumer.disconnect().finally(() => process.exit()))
consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || process.exit(1))
mkdirSync(folder, { recursive: true })
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topics: [`${prefix}provisioning.commands`], fromBeginning: true })
// The other partitions are read meanwhile, so nothing is awaited here.
const eachBatch = async ({ batch, pause }) => void answerAll(batch, pause())
await consumer.run({ autoCommit: false, eachBatch })
