/** The load generator against servers that do what a test wants. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Job, type Load, type Measured, openLoad } from './load.ts'

type Answer = (response: ServerResponse, number: number) => void

const paid: Answer = (response) => response.end('paid')
const turnAway: Answer = (response) => response.writeHead(503, { 'Retry-After': '60' }).end('full')

/** Drives a job against a server that answers so; meanwhile something may happen to the load generator. */
const drive = async (
  t: ExecutionContext,
  answer: Answer,
  job: Partial<Job>,
  meanwhile: (load: Load) => Promise<void> = async () => undefined,
): Promise<Measured> => {
  const server = createServer((request, response) => answer(response, Number(request.url?.slice(1))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const load = await openLoad(new AbortController().signal)
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await load[Symbol.asyncDispose]()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const whole = { origin, method: 'POST', path: '/{n}', first: 0, count: 100_000, connections: 4 } as const
  let happened: Promise<void> | undefined
  const measured = await load.run({ ...whole, warmUpMs: 0, measuredMs: 500, ...job }, (moment) => {
    if (moment === 'begun') happened = meanwhile(load)
  })
  await happened
  return measured
}

/** These come first, one after the other: they tell time. */
test.serial(
  'counts an open loop from when a request was due, so that a pause of the server is everybody’s',
  async (t) => {
    let stillUntil = 0
    const pauseOnce: Answer = (response, number) => {
      if (number === 50) stillUntil = performance.now() + 250
      setTimeout(() => response.end('paid'), Math.max(0, stillUntil - performance.now()))
    }
    const measured = await drive(t, pauseOnce, { connections: 1, perSecond: 200, measuredMs: 1_000 })
    t.is(measured.notSent + measured.answered, 200)
    const many = await drive(t, pauseOnce, { connections: 500, perSecond: 200, measuredMs: 1_000 })
    t.is(many.answered, 200)
    t.is(many.notSent, 0)
    t.true(measured.notSent >= 30, `${measured.notSent} were not sent over the only connection`)
    t.true(many.latencyMs.p95 >= 150, `p95 is ${many.latencyMs.p95} ms`)
    // A busy machine is slow to answer all of them, but not as slow as the pause.
    t.true(many.latencyMs.p50 < many.latencyMs.p95 / 2, `p50 is ${many.latencyMs.p50} ms, p95 ${many.latencyMs.p95} ms`)
  },
)

test.serial('counts an open loop from when a request was due, also when it could not be sent in time', async (t) => {
  const freeze = async ({ pid }: Load): Promise<void> => {
    await after(300)
    process.kill(pid, 'SIGSTOP')
    await after(300)
    process.kill(pid, 'SIGCONT')
  }
  const measured = await drive(t, paid, { connections: 500, perSecond: 200, measuredMs: 1_000 }, freeze)
  t.is(measured.answered, 200)
  t.true(measured.latencyMs.p95 >= 150, `p95 is ${measured.latencyMs.p95} ms`)
})

test('goes on at once after it was turned away, unless it is to obey', async (t) => {
  const half: Answer = (response, number) => (number % 2 === 0 ? paid : turnAway)(response, number)
  const overload = await drive(t, half, { count: 100, measuredMs: 30_000 })
  const shed = overload.shed['503']?.count ?? 0
  t.is(shed, 50, 'nobody waits for a minute')
  t.deepEqual(overload.odd, {})
  t.true(overload.exceptions.shed.every((number) => number % 2 === 1))
  t.is(overload.answeredInAll + shed, overload.next)
  const waited = await drive(t, half, { obeysRetryAfter: true, measuredMs: 1_500 })
  t.is(waited.shed['503']?.count, 4)
})

test('names the things of a job again and again', async (t) => {
  const seen = new Set<number>()
  const note: Answer = (response, number) => {
    seen.add(number)
    response.end()
  }
  const { next, usedUp } = await drive(t, note, { things: 3, first: 2, count: 10, measuredMs: 10_000 })
  t.deepEqual([...seen].sort(), [0, 1, 2])
  t.is(next, 12)
  t.true(usedUp)
})

test('tells apart what was refused and what got no answer', async (t) => {
  const mixed: Answer = (response, number) => {
    if (number === 1) response.writeHead(409).end('out of stock')
    else if (number === 2) response.destroy()
    else if (number === 3) response.writeHead(503).end('no idea')
    else response.end('paid')
  }
  const { odd, exceptions, answeredInAll } = await drive(t, mixed, { count: 10, measuredMs: 10_000 })
  t.deepEqual(odd['409'], { count: 1, example: 'out of stock' })
  t.deepEqual(exceptions.refused, [1])
  t.deepEqual([...exceptions.unsure].sort(), [2, 3])
  t.is(answeredInAll, 7)
})
