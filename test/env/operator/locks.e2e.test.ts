import { execFile } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { openSharedLockServer } from '../../support/lock-replica.ts'

const LOCKS = join(import.meta.dirname, '../../../env/operator/locks.ts')
const opened = await openSharedLockServer()
test.after.always(opened.close)

/** Says something to the shop, as an operator does. */
const say = (
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [LOCKS, ...words, '--url', opened.url], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })

/** Asks for a lease as long as it waits. */
const poll = async (path: string): Promise<number> => {
  const { status } = await opened.ask('GET', `${path}?wait_ms=20000`)
  return status === 202 ? poll(path) : status
}

test.serial('there are no locks at first', async (t) => {
  t.deepEqual(await say('list'), { code: 0, out: 'there are no locks\n', err: '' })
})

test.serial('says who holds a lock, who waits for it, and forces it', async (t) => {
  const path = '/locks/bill%207%1B/leases'
  const refused = await opened.ask('PUT', `${path}/l1`)
  t.is(refused.status, 422, 'no control characters')
  await opened.ask('PUT', '/locks/bill%207/leases/l1', {
    ttl_ms: 600_000,
    owner: 'w\u001b-1',
    metadata: { for: 'rent' },
  })
  await opened.ask('PUT', '/locks/bill%207/leases/l2', { owner: 'w-2', queue: true, priority: 3, ttl_ms: 600_000 })
  const polling = poll('/locks/bill%207/leases/l2')
  t.regex((await say('list', '--name', 'bill*')).out, /^bill 7 +held +w\?-1 \(exclusive, \d+\.\d s\) +1 waiting\n$/)
  t.is((await say('list', '--name', 'order*')).out, 'there are no locks\n')
  const { out } = await say('explain', 'bill 7')
  t.regex(
    out,
    /^bill 7 is held, its last token is \d+\n {2}held by w\?-1 as exclusive since .* for=rent\n {2}1\. in line: w-2/,
  )
  const stale = await say('force', 'bill 7', '--only', '1')
  t.is(stale.code, 1)
  const forced = await say('force', 'bill 7')
  t.regex(forced.out, /^bill 7: ended the tokens \d+; the next in line has the tokens \d+\n$/)
  t.is(await polling, 200)
  t.like(JSON.parse((await say('explain', 'bill 7', '--json')).out), { name: 'bill 7', holders: [{ owner: 'w-2' }] })
})

test.serial('what names no lease, or no lock, ends nothing', async (t) => {
  await opened.ask('PUT', '/locks/kept/leases/k1', { ttl_ms: 600_000 })
  for (const only of ['', '0', 'abc']) {
    const { code, err } = await say('force', 'kept', '--only', only)
    t.is(code, 2)
    t.regex(err, /^--only wants a token, not ".*"; --help/)
  }
  t.is((await opened.ask('GET', '/locks/kept/leases/k1')).status, 200)
  for (const name of ['', '.', '..', '-']) {
    const { code, err } = await say('explain', name)
    t.is(code, 2)
    t.regex(err, /^no lock is named ".*"; --help/)
  }
})

test.serial('a word that is none is refused, with a hint', async (t) => {
  for (const words of [[], ['drop'], ['explain'], ['list', 'a']]) {
    const { code, err } = await say(...words)
    t.is(code, 2)
    t.regex(err, /--help shows what can be said/)
  }
  t.is((await say('--help')).code, 0)
})
