/** A read changes nothing, so there is no outcome of it that could be unknown. */
import test from 'ava'
import { openReplicas } from '../../support/gateway.ts'
import { type Behaviour, reset } from '../../support/upstream.ts'

test('a read whose first sending broke is told what the next replica says, a 503 as well', async (t) => {
  const { ask, upstreams, settled } = await openReplicas(t, 2)
  let sendings = 0
  const breakFirst: Behaviour = (response, received) => {
    sendings += 1
    if (sendings === 1) return reset(response, received)
    response.writeHead(503, { 'Content-Type': 'application/problem+json' })
    response.end('{"detail":"the Redis is away"}')
  }
  for (const upstream of upstreams) upstream.behave = breakFirst
  await settled()
  const { status, text } = await ask('GET', '/orders/find/7')
  t.deepEqual([sendings, status, text], [2, 503, '{"detail":"the Redis is away"}'])
})
