import test from 'ava'
import { openRows } from './growth.ts'

const MB = 1_048_576
const MINUTE_MS = 60_000

/** One reading each two seconds of so many minutes. */
const rowOf = (
  part: string,
  minutes: number,
  keptAt: (ms: number) => number | undefined,
  descriptorsAt: (ms: number) => number,
) => {
  const rows = openRows()
  for (let ms = 0; ms <= minutes * MINUTE_MS; ms += 2_000)
    rows.add(part, { pid: 1, memory: 100 * MB + ms * 1_000, kept: keptAt(ms), descriptors: descriptorsAt(ms) }, ms)
  return rows.read()[0]?.grew
}

const flat = (): number => 100 * MB
const few = (): number => 50
/** Up and down with the load, as a heap does between collections. */
const saw = (ms: number): number => (100 + (ms % 20_000) / 500) * MB

test('takes a process for flat that warmed up and goes up and down', (t) => {
  t.deepEqual(
    rowOf('order-1', 6, (ms) => saw(ms) + Math.min(ms, MINUTE_MS) * 1_000, few),
    [],
  )
})

test('takes a small process for flat that grows by a few megabytes', (t) => {
  t.deepEqual(
    rowOf('ids-1', 6, (ms) => 18 * MB + ms * 30, few),
    [],
  )
})

test('finds memory and descriptors that grow', (t) => {
  t.deepEqual(
    rowOf('order-1', 6, (ms) => saw(ms) + ms * 400, few),
    ['memory'],
  )
  t.deepEqual(
    rowOf('gateway', 60, flat, (ms) => 50 + ms / 10_000),
    ['descriptors'],
  )
})

test('does not judge what is not known to be kept: of a Redis, the memory is its data', (t) => {
  t.deepEqual(
    rowOf('order-redis', 6, () => undefined, few),
    [],
  )
})

test('tells nothing of a row that is short, or begins anew with another process', (t) => {
  t.is(rowOf('order-1', 4, flat, few), undefined)
  const rows = openRows()
  for (let ms = 0; ms < 10 * MINUTE_MS; ms += 2_000)
    rows.add('order-1', { pid: Math.floor(ms / MINUTE_MS), memory: ms, kept: ms * 1_000, descriptors: 1 }, ms)
  t.is(rows.read()[0]?.grew, undefined)
})

test('remembers how a long row began', (t) => {
  const rows = openRows()
  for (let number = 0; number < 5_000; number += 1)
    rows.add('order-1', { pid: 1, memory: number, descriptors: 1 }, number * 2_000)
  const [row] = rows.read()
  t.is(row?.first.memory, 0)
  t.true((row?.last.memory ?? 0) > 4_990)
})
