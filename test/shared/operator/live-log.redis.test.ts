/** What a gateway is told of a log that it watches, over a real Redis. */
import { once } from 'node:events'
import test from 'ava'
import { type EventStream, openEventStream, type ServerSentEvent } from '../../../shared/http/event-stream.ts'
import { compareIds } from '../../../shared/log/entry.ts'
import { type Digest, type LiveLog, openLiveLog } from '../../../shared/operator/live-log.ts'
import { openStore } from '../../../stock/store.ts'
import { openBench } from '../../support/shop/open-store.ts'

const bench = await openBench()
const { log } = openStore(bench.dependencies)
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

const NEVER = new AbortController().signal

/** Appends so many entries at once, each with a log id of its own. */
const append = async (count: number): Promise<void> => {
  const all = bench.redis.multi()
  for (let n = 0; n < count; n += 1)
    all.xadd('log:stock', '*', 'StockAdded', `version=1 log_id=saga${n} item=tea amount=1`)
  await all.exec()
}

/** A watcher that keeps what it was sent. */
const watching = (live: LiveLog, seen?: string, most?: number) => {
  const events: ServerSentEvent[] = []
  const more = new EventTarget()
  const { stream, body } = openEventStream()
  body.resume()
  const kept: EventStream = {
    ...stream,
    send: (event) => {
      events.push(event)
      more.dispatchEvent(new Event('more'))
    },
    comment: () => more.dispatchEvent(new Event('more')),
  }
  live.watch({ seen, most }, kept, NEVER)
  const next = async (): Promise<Digest> => {
    while (events.length === 0) await once(more, 'more')
    return events.shift()?.data as Digest
  }
  return {
    next,
    begun: once(more, 'more'),
    end: stream.end,
    closed: new Promise<void>((resolve) => stream.onClose(resolve)),
  }
}

test.serial('tells how many entries of each kind were appended, and shows them while they are few', async (t) => {
  const watcher = watching(openLiveLog(log))
  await watcher.begun
  await append(3)
  const digest = await watcher.next()
  t.deepEqual(digest.counts, { StockAdded: 3 })
  t.deepEqual(
    digest.entries.map(({ log_id }) => log_id),
    ['saga0', 'saga1', 'saga2'],
  )
  t.deepEqual([digest.after, digest.until, digest.skipped], ['0-0', digest.entries[2]?.id, false])
  watcher.end()
})

test.serial('of many it counts all, and shows the same log ids to whoever watches', async (t) => {
  const live = openLiveLog(log)
  const [one, other] = [watching(live), watching(openLiveLog(log), '0-0')]
  await one.begun
  await append(2_500)
  const counts = { StockAdded: 0 }
  const shown: string[] = []
  while (counts.StockAdded < 2_500) {
    const digest = await one.next()
    counts.StockAdded += digest.counts.StockAdded ?? 0
    t.true(digest.entries.length <= 128)
    shown.push(...digest.entries.map(({ log_id }) => log_id))
  }
  t.is(counts.StockAdded, 2_500)
  t.true(shown.length >= 16 && shown.length < 500, `${shown.length}`)
  const theirs = (await other.next()).entries.map(({ log_id }) => log_id)
  t.true(theirs.some((logId) => shown.includes(logId)))
  one.end()
  other.end()
})

test.serial('one that comes again goes on behind what it has seen', async (t) => {
  await append(5)
  const [, , third] = await log.tail('0-0', 5)
  const watcher = watching(openLiveLog(log), third?.[0])
  t.deepEqual((await watcher.next()).counts, { StockAdded: 2 })
  watcher.end()
})

test.serial('one that comes again after what it has seen was trimmed is told that there were others', async (t) => {
  await append(5)
  const ids = (await log.tail('0-0', 5)).map(([id]) => id)
  await bench.redis.xtrim('log:stock', 'MINID', ids[3] ?? '')
  const watcher = watching(openLiveLog(log), ids[0])
  t.like(await watcher.next(), { counts: { StockAdded: 2 }, skipped: true })
  await append(1)
  t.like(await watcher.next(), { counts: { StockAdded: 1 }, skipped: false })
  watcher.end()
})

test.serial('who needs no more is told of the newest, and that there were others', async (t) => {
  const live = openLiveLog(log)
  const [few, all] = [watching(live, '0-0', 4), watching(live, '0-0', 5)]
  await Promise.all([few.begun, all.begun])
  await append(5)
  const whole = await all.next()
  t.deepEqual([whole.counts, whole.skipped], [{ StockAdded: 5 }, false])
  const digest = await few.next()
  t.deepEqual([digest.counts, digest.skipped], [{ StockAdded: 4 }, true])
  t.deepEqual(digest.entries, whole.entries.slice(1))
  t.deepEqual([digest.after, digest.until], ['0-0', whole.until])
  await append(2)
  const next = await few.next()
  t.deepEqual([next.counts, next.skipped, next.after], [{ StockAdded: 2 }, false, digest.until])
  few.end()
  all.end()
})

test.serial('reads a digest in pages, the oldest entry first', async (t) => {
  await append(2_400)
  const [first] = await log.tail('0-0', 1)
  const watcher = watching(openLiveLog(log), first?.[0], 2_398)
  const digest = await watcher.next()
  t.deepEqual([digest.counts, digest.skipped], [{ StockAdded: 2_398 }, true])
  const ids = digest.entries.map(({ id }) => id)
  t.deepEqual(ids, ids.toSorted(compareIds))
  t.is(digest.until, await log.newestId())
  watcher.end()
})

test.serial('a log that came back older is read from where it ends', async (t) => {
  await append(2)
  const watcher = watching(openLiveLog(log))
  await watcher.begun
  await bench.redis.del('log:stock')
  const digest = await watcher.next()
  t.like(digest, { until: '0-0', skipped: true, counts: {} })
  await append(1)
  t.deepEqual((await watcher.next()).counts, { StockAdded: 1 })
  watcher.end()
})

test.serial('has room for a few', async (t) => {
  const live = openLiveLog(log)
  const watchers = Array.from({ length: 8 }, () => watching(live))
  t.false(live.hasRoom())
  watchers[0]?.end()
  await watchers[0]?.closed
  t.true(live.hasRoom())
  for (const { end } of watchers) end()
})
