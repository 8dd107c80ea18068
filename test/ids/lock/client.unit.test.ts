/** What a program finds out that asks something else than the shop for its locks. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { LockUnavailableError } from '../../../ids/lock/client/errors.ts'
import { lockClient } from '../../../ids/lock/client.ts'

/** Answers everything with a success that is none of the shop's. */
const openStranger = async (t: ExecutionContext, contentType: string, body: string) => {
  const stranger = { asked: 0, url: '' }
  const server = createServer((_, response) => {
    stranger.asked += 1
    response.writeHead(200, { 'Content-Type': contentType }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  stranger.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return stranger
}

for (const url of ['127.0.0.1:8000', 'localhost:8000', 'http://shop:80x', ''])
  test(`a client of "${url}" is refused when it is made`, (t) => {
    const message = `the URL of the shop must be of the form http://host:port, not "${url}"`
    t.throws(() => lockClient(url), { instanceOf: TypeError, message })
  })

test('a page where the shop should be is no lock that somebody else has, and is not asked without a pause', async (t) => {
  const stranger = await openStranger(t, 'text/html', '<h1>Welcome</h1>')
  const locks = lockClient(stranger.url, { retry: { forMs: 300 } })
  const error = await t.throwsAsync(locks.tryAcquire('bill'), { instanceOf: LockUnavailableError })
  t.regex(String(error?.cause), /answered 200 .* no JSON/)
  await t.throwsAsync(locks.acquire('bill', { wait: 300 }), { instanceOf: LockUnavailableError })
  await t.throwsAsync(locks.info('..'), { instanceOf: LockUnavailableError })
  t.true(stranger.asked < 40, `it was asked ${stranger.asked} times`)
})

test('a success that is no lease is no lock, and is not asked for without a pause', async (t) => {
  const stranger = await openStranger(t, 'application/json', '{"status":"ok"}')
  const locks = lockClient(stranger.url, { retry: { forMs: 300 } })
  const error = await t.throwsAsync(locks.acquire('bill', { wait: 300 }), { instanceOf: LockUnavailableError })
  t.regex(String(error?.cause), /no lease/)
  t.true(stranger.asked < 40, `it was asked ${stranger.asked} times`)
})
