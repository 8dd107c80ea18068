/** What a program finds out that asks something else than the shop for its locks. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { LockUnavailableError } from '../../../ids/lock/client/errors.ts'
import { lockClient } from '../../../ids/lock/client.ts'

test('a page where the shop should be is no lock that somebody else has, and is not asked without a pause', async (t) => {
  let asked = 0
  const server = createServer((_, response) => {
    asked += 1
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Welcome</h1>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const locks = lockClient(url, { retry: { forMs: 300 } })
  const error = await t.throwsAsync(locks.tryAcquire('bill'), { instanceOf: LockUnavailableError })
  t.regex(String(error?.cause), /answered 200 .* no JSON/)
  await t.throwsAsync(locks.acquire('bill', { wait: 300 }), { instanceOf: LockUnavailableError })
  await t.throwsAsync(locks.info('..'), { instanceOf: LockUnavailableError })
  t.true(asked < 40, `it was asked ${asked} times`)
})
