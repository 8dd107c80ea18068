/** The example programs, each as several processes against a whole shop. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { lockClient } from '../../ids/lock/client.ts'
import { makeFolder } from '../support/folder.ts'
import { run, start } from '../support/program.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)
const example = (name: string): string => join(import.meta.dirname, `${name}.ts`)

test.serial('one bill that two processes pay at once is paid once', async (t) => {
  const { shop, client } = opened()
  const user = await client.createUser(100)
  const bill = join(await makeFolder(t), 'bill-7')
  const ends = await Promise.all([1, 2].map(() => run(t, [example('pay-once'), shop.url, user, '30', bill])))
  t.deepEqual(ends.map(({ output }) => output).toSorted(), ['it was paid\n', 'paid it\n'], JSON.stringify(ends))
  t.is(await client.credit(user), 70)
  const [, token = ''] = /^paid under the token (\d+)\n$/.exec(readFileSync(bill, 'utf8')) ?? []
  const stale = await client.request('POST', `/payment/pay/${user}/30`, { 'If-Lock-Token': String(Number(token) - 1) })
  t.is(stale.status, 412, 'who had the lock before pays nothing')
})

test.serial('when a leader is killed the one that waits leads, in a later term', async (t) => {
  const { shop } = opened()
  const first = start(t, [example('lead'), shop.url, 'mailer', 'first'])
  const [, term = ''] = await first.said(/^first leads in term (\d+)$/)
  const second = start(t, [example('lead'), shop.url, 'mailer', 'second'])
  await second.said(/^second stands$/)
  t.false(second.lines.some((line) => line.includes('leads')))
  first.child.kill('SIGKILL')
  const [, next = ''] = await second.said(/^second leads in term (\d+)$/)
  t.true(Number(next) > Number(term))
  second.child.kill('SIGTERM')
  const { code, output } = await second.ended
  t.is(code, 0)
  t.regex(output, /second resigns\n$/)
})

test.serial('one that stands is not kept from its end', async (t) => {
  const { shop } = opened()
  const leader = start(t, [example('lead'), shop.url, 'printer', 'first'])
  await leader.said(/^first leads/)
  const other = start(t, [example('lead'), shop.url, 'printer', 'other'])
  await other.said(/^other stands$/)
  other.child.kill('SIGTERM')
  t.like(await other.ended, { code: 0, output: 'other stands\nother stands no more\n', errors: '' })
  leader.child.kill('SIGTERM')
  t.is((await leader.ended).code, 0)
})

for (const [name, given, usage] of [
  ['lead', ['http://127.0.0.1:8000', 'mailer'], 'URL ELECTION NAME'],
  ['pay-once', [], 'URL USER AMOUNT BILL'],
  ['shopper', [], 'URL'],
  ['sleeper', ['http://127.0.0.1:8000'], 'URL ITEM'],
] as const)
  test.serial(`${name} says how it is used where that is missing`, async (t) => {
    t.like(await run(t, [example(name), ...given]), {
      code: 2,
      output: '',
      errors: `usage: node ${name}.ts ${usage}\n`,
    })
  })

test.serial('a holder that slept until its lease had ended writes nothing: its token is stale', async (t) => {
  const { shop, client } = opened()
  const item = await client.createItem(1, 5)
  const sleeper = start(t, [example('sleeper'), shop.url, item])
  await sleeper.said(/^holds \d+$/)
  sleeper.child.kill('SIGSTOP')
  await lockClient(shop.url).withLock(`item:${item}`, { wait: 20_000 }, async ({ token }) => {
    t.is((await client.post(`/stock/add/${item}/2`, { 'If-Lock-Token': String(token) })).status, 200)
  })
  sleeper.child.kill('SIGCONT')
  await sleeper.said(/^was answered 412 and has lost it$/)
  t.like(await sleeper.ended, { code: 0, errors: '' })
  t.is(await client.stock(item), 7)
})
