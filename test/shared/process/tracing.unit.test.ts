/** Which `traceparent` is of a trace that is sampled? */
import test from 'ava'
import { sampledIn, traceIdIn } from '../../../shared/process/tracing.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('one with the flag is, also of a later version and with other flags', (t) => {
  const sampled = `00-${ID}-${SPAN}-01`
  for (const text of [sampled, `00-${ID}-${SPAN}-03`, `cc-${ID}-${SPAN}-01`, `01-${ID}-${SPAN}-01-what-comes`])
    t.is(sampledIn(text), sampled, text)
  t.is(traceIdIn(sampled), ID)
})

test('no other is', (t) => {
  const others = [
    ...[undefined, '', 'nonsense', [`00-${ID}-${SPAN}-01`], `00-${ID}-${SPAN}-00`, `00-${ID}-${SPAN}-02`],
    ...[`ff-${ID}-${SPAN}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${ID}-${'0'.repeat(16)}-01`],
    ...[`00-${ID.toUpperCase()}-${SPAN}-01`, ` 00-${ID}-${SPAN}-01`, `00-${ID}-${SPAN}-01x`, `00-${ID}-${SPAN}-1`],
    ...[`00-${ID}-${SPAN}-01\nbegun=1`, `00-${ID}-${SPAN}`],
  ]
  for (const one of others) t.is(sampledIn(one), undefined, String(one))
})
