// Your carrier: replace the body of execute. What must be set is in `parameters` of the command.
// The numbers here answer as docs/conformance.md says.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

// command_id is the idempotency key, if the carrier takes one: after a crash, a command can come here again.
export async function execute({ command_id, action, number, attempt }) {
  const ending = number.slice(-4)
  if (ending === '9991') return { outcome: 'failed', retryable: false, code: 'number_unknown' }
  if (ending === '9992' && attempt === 1) throw new Error('The carrier does not answer.')
  if (ending === '9993' && attempt === 1)
    return { outcome: 'failed', retryable: true, code: 'rate_limited', retry_after_s: 1 }
  if (ending === '9996') await sleep(3000)
  console.log(command_id, action)
  return { outcome: 'succeeded', carrier_reference: randomUUID() }
}
