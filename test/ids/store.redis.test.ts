import test from 'ava'
import { openStore } from '../../ids/store.ts'
import { invalidReason } from '../../shared/contract/dictionary.ts'
import { whenReady } from '../../shared/redis/connection.ts'
import { cutTail, writtenTo } from '../support/faults/older-redis.ts'
import { openBench, plainly, resultsSeen, saidIn, under } from '../support/shop/open-store.ts'

const bench = await openBench()
const store = openStore(bench.dependencies)
const words = resultsSeen(store.log, {})

test.serial.beforeEach(async () => {
  await bench.redis.flushall()
})
test.serial.afterEach.always('every entry can be applied by a subscriber', async (t) => {
  for (const [id, fields] of await bench.redis.xrange('log:ids', '-', '+'))
    t.is(invalidReason('ids', [id, fields]), undefined)
})
test.after.always(async () => bench[Symbol.asyncDispose]())

test.serial('lease-block gives a replica one block, however often it asks', async (t) => {
  const first = await store.lease('order-1')
  const second = await store.lease('order-2')
  t.not(first, second)
  t.is(await store.lease('order-1'), first)
  t.is(await store.log.count(), 2)
})

test.serial('lease-block never gives a block twice, asked for at once by many', async (t) => {
  const replicas = Array.from({ length: 200 }, (_, index) => `replica-${index}`)
  const blocks = await Promise.all(replicas.map(store.lease))
  t.is(new Set(blocks).size, replicas.length)
})

test.serial('lease-block never gives the block of a forgotten replica to another', async (t) => {
  const first = await store.lease('order-1')
  await bench.redis.del('lease:order-1')
  t.not(await store.lease('order-1'), first)
})

test.serial('lease-block never gives a block again that was leased in a tail that the Redis lost', async (t) => {
  await using older = await openBench(['--appendonly', 'yes', '--appendfsync', 'always'])
  const forgetful = openStore(older.dependencies)
  await forgetful.lease('kept')
  const moment = await writtenTo(older.server.dir)
  const lost = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(forgetful.lease))
  await older.server.kill()
  await cutTail(older.server.dir, { position: moment })
  await older.server.restart()
  await whenReady(older.redis)
  const after = await Promise.all(['b', 'i', 'j'].map(forgetful.lease))
  t.is(new Set([...lost, ...after]).size, 11)
})

test.serial('lease-block says who has which block', async (t) => {
  const block = await store.lease('order-1')
  const [entry] = await saidIn(store.log)
  t.is(entry?.kind, 'BlockLeased')
  t.deepEqual(entry?.facts, { replica: 'order-1', block: String(block) })
  t.deepEqual(await store.log.entriesOf(entry?.log_id ?? ''), [entry])
})

test.serial('give-identifier writes an identifier down under its key, and gives the same one again', async (t) => {
  t.deepEqual(await store.give('made-first', under('a')), ['given', 'made-first'])
  t.deepEqual(await store.give('made-later', under('a')), ['given', 'made-first'])
  t.deepEqual(await store.give('made-later', under('a', 'POST /other')), ['key-reused'])
  t.deepEqual(await store.give('made-later', under('b')), ['given', 'made-later'])
  t.deepEqual(await store.give('without-key', plainly), ['given', 'without-key'])
  t.is(await store.log.count(), 3)
})

test.serial('every result that a command promises was returned by now, and no other', async (t) => {
  t.deepEqual(words.unseen(), [])
  await t.notThrowsAsync(store.log.count())
})
