/** What is switched off, over a real Redis. */
import test from 'ava'
import { openStore } from '../../../ids/store.ts'
import { invalidReason } from '../../../shared/contract/dictionary.ts'
import type { Route } from '../../../shared/http/route.ts'
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
/** A replica. */
const open = ({ dependencies }: Bench): Features =>
  openFeatures({ ...dependencies, log: openStore(dependencies).log, routes: ROUTES })

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
