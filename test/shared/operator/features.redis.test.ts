/** What is switched off, over a real Redis. */
import test from 'ava'
import { openStore } from '../../../ids/store.ts'
import { invalidReason } from '../../../shared/contract/dictionary.ts'
import type { Route } from '../../../shared/http/route.ts'
import type { Log } from '../../../shared/log/log.ts'
import { type Features, openFeatures } from '../../../shared/operator/features.ts'
import { type Bench, comeBack, openBench, openDurable } from '../../support/shop/open-store.ts'

const bench = await openBench()
test.after.always(() => bench[Symbol.asyncDispose]())
test.serial.beforeEach(() => bench.redis.flushall())

const handler = async () => ({ text: '' })
const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/tea', scope: 'customer', feature: 'makeTea', handler },
  { method: 'GET', path: '/tea', scope: 'customer', feature: 'lookAtTea', handler },
  { method: 'GET', path: '/logs', scope: 'operator', handler },
]
const logs = new Map<Bench, Log>()
const logOf = (one: Bench): Log => {
  const log = logs.get(one) ?? openStore(one.dependencies).log
  logs.set(one, log)
  return log
}
/** A replica. */
const open = (one: Bench, offAtFirst: readonly string[] = []): Features =>
  openFeatures({ ...one.dependencies, log: logOf(one), routes: ROUTES, offAtFirst })
/** Which are on, of a replica that starts now. */
const onAt = async (offAtFirst: readonly string[]): Promise<readonly string[]> => {
  const features = open(bench, offAtFirst)
  await features.refresh()
  return features.list().flatMap(({ name, on }) => (on ? [name] : []))
}

test.serial('a feature is on until it is switched off, and off until it is switched on', async (t) => {
  const features = open(bench)
  await features.refresh()
  t.deepEqual(features.list(), [
    { name: 'makeTea', route: 'POST /tea', on: true },
    { name: 'lookAtTea', route: 'GET /tea', on: true },
  ])
  await features.set('makeTea', false)
  t.deepEqual([features.isOff('makeTea'), features.isOff('lookAtTea')], [true, false])
  t.like(features.list(), [{ on: false }, { on: true }])
  await features.set('makeTea', true)
  t.false(features.isOff('makeTea'))
  t.is(await bench.redis.exists('features:off'), 0)
})

test.serial('each change is an entry of the log; what changes nothing is none', async (t) => {
  const features = open(bench)
  for (const on of [true, false, false, true]) await features.set('makeTea', on, on ? 'operator:anna' : undefined)
  const entries = await bench.redis.xrange('log:ids', '-', '+')
  t.deepEqual(
    entries.map(([, fields]) => fields.join(' ').replace(/version=1 log_id=\S+ /, '')),
    ['FeatureSet feature=makeTea on=no', 'FeatureSet feature=makeTea on=yes done_by=operator:anna'],
  )
  for (const [id, fields] of entries) t.is(invalidReason('ids', [id, fields]), undefined)
})

test.serial('what is off at first is off, also before anything was read, and no entry says so', async (t) => {
  const features = open(bench, ['makeTea'])
  t.true(features.isOff('makeTea'))
  t.not(features.check().wrong, undefined)
  t.deepEqual(await onAt(['makeTea']), ['lookAtTea'])
  await features.set('makeTea', false)
  t.is(await bench.redis.exists('log:ids'), 0)
  t.deepEqual(await onAt([]), ['makeTea', 'lookAtTea'])
})

test.serial('what an operator has switched holds, whatever is off at first', async (t) => {
  const features = open(bench, ['makeTea'])
  await features.set('makeTea', true)
  await features.set('lookAtTea', false)
  for (const offAtFirst of [[], ['makeTea'], ['makeTea', 'lookAtTea']]) t.deepEqual(await onAt(offAtFirst), ['makeTea'])
  await features.set('makeTea', false)
  for (const offAtFirst of [[], ['makeTea']]) t.deepEqual(await onAt(offAtFirst), [])
  await features.set('makeTea', true)
  await open(bench).set('lookAtTea', true)
  t.deepEqual(await onAt([]), ['makeTea', 'lookAtTea'])
  t.is(await bench.redis.xlen('log:ids'), 5)
})

test('a name that is of no feature is refused', (t) => {
  t.throws(() => open(bench, ['makeTea', 'boil', 'logs']), {
    name: 'ConfigError',
    message: 'FEATURES_OFF names what is no feature of this service: boil, logs',
  })
})

test.serial('another replica goes by it once it has read it, and is not ready before', async (t) => {
  const [one, other] = [open(bench), open(bench)]
  t.regex(one.check().wrong ?? '', /not known/)
  await one.set('makeTea', false)
  t.is(one.check().wrong, undefined)
  t.false(other.isOff('makeTea'))
  await other.refresh()
  t.true(other.isOff('makeTea'))
  t.is(other.check().wrong, undefined)
})

test.serial('it outlives the Redis, and while that is away a replica goes by what it has read', async (t) => {
  const durable = await openDurable(t)
  const features = open(durable)
  await features.set('makeTea', false)
  await durable.server.kill()
  await features.refresh()
  t.true(features.isOff('makeTea'))
  t.is(features.check().wrong, undefined)
  await t.throwsAsync(features.set('makeTea', true), { name: 'UnavailableError' })
  await durable.server.restart()
  await comeBack(durable)
  const anew = open(durable)
  await anew.refresh()
  t.true(anew.isOff('makeTea'))
})
