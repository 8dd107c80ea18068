/** Who uses a data folder: one shop at a time, whatever its processes and files went through before. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { claimFolder } from '../../../env/local/claim.ts'
import { DataFolderError, prepareFolder, readPasswords, readUsage, writeUsage } from '../../../env/local/data-folder.ts'
import { endLeftovers } from '../../../env/local/leftover.ts'
import { isPasswords } from '../../../env/wiring.ts'
import { makeFolder } from '../../support/folder.ts'

const PAIRS = 12

/** A process that claims the folder that it is told, says what came of it, and lets it go when it is told the next. */
const CLAIMANT = `
import { claimFolder } from ${JSON.stringify(join(import.meta.dirname, '../../../env/local/claim.ts'))}
let claim
process.on('message', async (dir) => {
  claim?.release()
  claim = undefined
  if (dir === 'let go') return process.send('let go')
  if (dir === 'be nobody') {
    if (process.getuid() === 0) process.setuid(65534)
    return process.send('nobody')
  }
  try {
    claim = await claimFolder(dir)
    process.send('mine')
  } catch (error) {
    process.send(error.message)
  }
})
process.on('disconnect', () => process.exit())
process.send('here')
`

const claimant = async (t: ExecutionContext): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', CLAIMANT], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

const ask = async (child: ChildProcess, word: string): Promise<unknown> => {
  const answer = once(child, 'message')
  child.send(word)
  return (await answer)[0]
}

test('of two that come at the same moment one gets the folder, and the other is told so', async (t) => {
  const dir = await makeFolder(t)
  const [one, other] = [await claimant(t), await claimant(t)]
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const said = await Promise.all([ask(one, dir), ask(other, dir)])
    t.deepEqual(said.filter((word) => word === 'mine').length, 1, String(said))
    t.true(said.includes(`another shop is running on the data folder ${dir}`), String(said))
    await Promise.all([ask(one, 'let go'), ask(other, 'let go')])
  }
})

test('a folder is free as soon as its shop is killed, and not before, also when that shop is frozen', async (t) => {
  const dir = await makeFolder(t)
  const child = await claimant(t)
  t.is(await ask(child, dir), 'mine')
  await writeUsage(dir, { pid: child.pid ?? 0, redisPorts: { ids: 1, order: 2, payment: 3, stock: 4 } })
  const refusal = {
    instanceOf: DataFolderError,
    message: `another shop is running on the data folder ${dir}, started by process ${child.pid}`,
  }
  await t.throwsAsync(claimFolder(dir), refusal)
  child.kill('SIGSTOP')
  await t.throwsAsync(claimFolder(dir), refusal)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  const claim = await claimFolder(dir)
  await t.throwsAsync(claimFolder(dir), { instanceOf: DataFolderError }, 'nor does its own process get it twice')
  claim.release()
})

test("where its lock file is of another user, or can only be read, a folder is nobody's", async (t) => {
  const dir = await makeFolder(t)
  await chmod(dir, 0o777)
  await writeFile(join(dir, 'shop.lock'), '', { mode: 0o444 })
  const child = await claimant(t)
  await ask(child, 'be nobody')
  const reason = `this user may not write there (${join(dir, 'shop.lock')})`
  t.is(await ask(child, dir), `the data folder ${dir} cannot be used: ${reason}`)
})

const unusable: [what: string, make: (path: string) => Promise<unknown>, reason: (path: string) => string][] = [
  ['is a file', (path) => writeFile(path, ''), () => 'it is no folder'],
  [
    'leads nowhere',
    (path) => symlink(join(path, 'nowhere'), path),
    () => 'the links on the way to it lead in a circle',
  ],
  [
    'has a folder for a lock file',
    (path) => mkdir(join(path, 'shop.lock'), { recursive: true }),
    (path) => `its shop.lock cannot be opened (${join(path, 'shop.lock')})`,
  ],
  [
    'has a lock file that is none',
    (path) => mkdir(path).then(() => writeFile(join(path, 'shop.lock'), 'not empty '.repeat(100))),
    (path) => `no shop has made its shop.lock: remove that (${join(path, 'shop.lock')})`,
  ],
]
for (const [what, make, reason] of unusable)
  test(`a folder that ${what} is refused in one sentence`, async (t) => {
    const path = join(await makeFolder(t), 'data')
    await make(path)
    await t.throwsAsync(claimFolder(path), {
      instanceOf: DataFolderError,
      message: `the data folder ${path} cannot be used: ${reason(path)}`,
    })
  })

const onLinux = process.platform === 'linux' ? test : test.skip
onLinux('a folder is refused where the system takes none, and says of it that it is missing', async (t) => {
  const child = await claimant(t)
  t.is(
    await ask(child, '/proc/shop/data'),
    "the data folder /proc/shop/data cannot be used: ENOENT: no such file or directory, mkdir '/proc/shop' (/proc/shop)",
  )
})

test('a folder that has files where folders should be, or the other way, is refused in one sentence', async (t) => {
  const dir = await makeFolder(t)
  await mkdir(join(dir, 'passwords.json'))
  await t.throwsAsync(readPasswords(dir), {
    instanceOf: DataFolderError,
    message: `the data folder ${dir} cannot be used: it has a folder where a file should be`,
  })
  await writeFile(join(dir, 'redis'), '')
  for (const action of [() => endLeftovers(dir), () => prepareFolder(dir, [])])
    await t.throwsAsync(action(), { instanceOf: DataFolderError, message: /cannot be used: it is no folder \(.*redis/ })
})

const torn: [what: string, content: string][] = [
  ['empty', ''],
  ['cut off in the middle', '{ "ids": { "owner": "o'],
  ['full of zeros', '\0'.repeat(300)],
  ['not what they should be', '[]'],
  ['without one of the passwords', '{ "ids": { "owner": "o" }, "order": null, "payment": {}, "stock": {} }'],
]
for (const [what, content] of torn)
  test(`files that loss of power left ${what} are as good as none`, async (t) => {
    const dir = await makeFolder(t)
    await prepareFolder(dir, [])
    for (const file of ['shop.json', 'passwords.json']) await writeFile(join(dir, file), content)
    const claim = await claimFolder(dir)
    t.is((await readUsage(dir))?.pid, undefined)
    const made = await readPasswords(dir)
    t.true(isPasswords(made))
    t.deepEqual(await readPasswords(dir), made, 'they are made once')
    claim.release()
  })
