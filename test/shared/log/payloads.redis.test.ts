/** What a script reads of an entry's text by patterns is what it reads of it name by name. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { events, type Facts } from '../../../shared/contract/events.ts'
import { beginPayload } from '../../../shared/log/payloads.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
test.after.always(() => bench[Symbol.asyncDispose]())

const kinds: Readonly<Record<string, Facts>> = Object.assign({}, ...Object.values(events))
const entry = readFileSync(new URL('../../../shared/log/lua/entry.lua', import.meta.url), 'utf8')
const SCRIPT = `${entry}
${beginPayload(kinds)}
local both = {}
local begun, at = begin_payload(ARGV[1], ARGV[2])
for i, payload in ipairs({ payload_in(string.sub(ARGV[2], at), begun), payload_in(ARGV[2]) }) do
  payload.version = nil
  local told = {}
  for name, value in pairs(payload) do
    told[#told + 1] = name .. '=' .. value
  end
  table.sort(told)
  both[i] = table.concat(told, ' ')
end
both[3] = string.sub(ARGV[2], at)
return both`

type Read = readonly [fast: string, byName: string, rest: string]
const read = async (kind: string, text: string): Promise<Read> =>
  (await bench.redis.eval(SCRIPT, 0, kind, text)) as Read

const textOf = (pairs: readonly (readonly [string, string])[]): string =>
  ['version=1', 'log_id=L-1', ...pairs.map(([name, value]) => `${name}=${value}`)].join(' ')

for (const [kind, facts] of Object.entries(kinds)) {
  const pairs = Object.keys(facts).map((name, at) => [name, `v=${at}:1,w:2`] as const)

  test(`${kind}: as it is written today, and without each of its facts`, async (t) => {
    const [fast, byName, rest] = await read(kind, textOf(pairs))
    t.is(fast, byName)
    t.is(rest, '')
    for (const one of pairs) {
      const [told, all] = await read(kind, textOf(pairs.filter((pair) => pair !== one)))
      t.is(told, all, `without ${one[0]}`)
    }
  })

  test(`${kind}: with empty facts, in another order, and with more than is known`, async (t) => {
    const more = [['trace', '00-1-2-01'] as const, ['done_by', 'merchant:anna'] as const]
    for (const text of [
      textOf(pairs.map(([name]) => [name, ''])),
      textOf(pairs.toReversed()),
      textOf([...pairs, ...more]),
      textOf([...more, ...pairs]),
      textOf([['orders', '1'], ...pairs]),
      `log_id=L-1 version=1 ${pairs.map((pair) => pair.join('=')).join(' ')}`,
    ]) {
      const [told, all] = await read(kind, text)
      t.is(told, all, text)
    }
  })
}

test('a kind that is unknown is read name by name', async (t) => {
  const [told, all, rest] = await read('Nothing', 'version=1 log_id=L-1 order=a')
  t.is(told, all)
  t.is(rest, 'version=1 log_id=L-1 order=a')
})
