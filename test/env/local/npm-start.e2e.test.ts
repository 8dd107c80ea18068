/** `npm start` as a whole: what happens to the shop when npm ends, and when nothing more can be written. */
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../../support/eventually.ts'
import { makeFolder } from '../../support/folder.ts'
import { isRunning, processesIn, start } from '../../support/program.ts'
import { type Client, openClient } from '../../support/shop/client.ts'

const PARTS = 9
const END_MS = 30_000

/** The shop under npm, once it is open, and a customer in it. */
const startNpm = async (t: ExecutionContext, dir: string) => {
  const npm = start(t, ['start', '--', '--port', '0', '--data', dir], { command: 'npm' })
  const [, url = ''] = await npm.said(/^The shop is open at (http:\S+)/)
  const client: Client = openClient(url)
  t.teardown(client.close)
  return { ...npm, client }
}

const assertEnded = (pids: readonly number[]): Promise<void> =>
  eventually(async () => {
    const left = pids.filter(isRunning)
    if (left.length > 0) throw new Error(`still running: ${left}`)
  }, END_MS)

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  test.serial(`the shop ends in order when npm is ended by ${signal}, and the next start works`, async (t) => {
    const dir = await makeFolder(t)
    const first = await startNpm(t, dir)
    t.is(processesIn(first.lines).length, PARTS)
    const user = await first.client.createUser(7)
    first.child.kill(signal)
    await first.ended
    t.regex(first.lines.at(-1) ?? '', /^The shop has ended/)
    await assertEnded(processesIn(first.lines))

    const second = await startNpm(t, dir)
    t.is(await second.client.credit(user), 7)
    second.child.kill('SIGTERM')
    t.is((await second.ended).code, 0)
  })

test.serial('the shop sells while its disk has no room for logs, and what dies comes back', async (t) => {
  const dir = await makeFolder(t)
  await mkdir(join(dir, 'logs'))
  const parts = ['gateway', ...['ids', 'order', 'payment', 'stock'].flatMap((name) => [`${name}-1`, `${name}-redis`])]
  for (const part of parts) await symlink('/dev/full', join(dir, 'logs', `${part}.log`))
  const { child, client, lines, said, ended } = await startNpm(t, dir)
  for (const part of ['order-1', 'order-redis']) {
    const [, pid] = await said(new RegExp(`${part} .*process (\\d+)`))
    const before = lines.length
    process.kill(Number(pid), 'SIGKILL')
    await said(new RegExp(`${part} +ready`), before)
  }
  await eventually(async () => {
    const { order } = await client.createCart({ credit: 5, stock: 1 })
    t.is((await client.checkout(order)).status, 200)
  }, END_MS)
  t.true(lines.some((line) => /order-redis +its log is not written: ENOSPC/.test(line)))
  child.kill('SIGTERM')
  await ended
  await assertEnded(processesIn(lines))
})
