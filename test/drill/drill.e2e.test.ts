import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { readPasswords } from '../../env/local/data-folder.ts'
import { redisUrl } from '../../env/wiring.ts'
import { type Program, start } from '../support/program.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

const startDrill = (t: ExecutionContext, line: string): Program => start(t, [MAIN, ...line.split(' ')])

/** The address of the wallets' Redis, as the folder of a running shop tells it. */
const paymentRedisIn = async (dir: string): Promise<string> => {
  const { redisPorts } = JSON.parse(await readFile(join(dir, 'shop.json'), 'utf8')) as {
    redisPorts: { payment: number }
  }
  return redisUrl('payment', 'payment', redisPorts.payment, await readPasswords(dir))
}

test.serial('kills a service under load, and finds all promises kept', async (t) => {
  const { ended } = startDrill(t, '--kill payment --every 2s --away 500ms --for 4s --load 60 --seed 7')
  const { code, output, errors } = await ended
  t.is(code, 0, errors + output)
  t.regex(output, /^The shop kept its promises\. .* [12] faults? in /m)
  t.regex(output, /^Anomalies: none$/m)
  t.regex(output, /kill payment-1: settled \d/)
  t.regex(output, /^Again, .* --kill payment .* --seed 7$/m)
})

test.serial('has customers bear tokens of their own, and nobody else sees what is theirs', async (t) => {
  const { ended } = startDrill(t, '--auth --kill gateway --every 2s --away 500ms --for 6s --load 60 --seed 7')
  const { code, output, errors } = await ended
  t.is(code, 0, errors + output)
  t.regex(output, /^Anomalies: none$/m)
  t.regex(output, /Refused, as they are to be: [1-9]\d* who asked for another's order/)
  t.regex(output, /^Again, .* --auth --seed 7$/m)
})

if (process.env.FAULTS === 'full')
  test.serial('lets nobody in with a key that was revoked, and everybody who bears what is right', async (t) => {
    t.timeout(180_000)
    const { ended } = startDrill(t, '--auth --restart payment --every 8s --for 45s --load 20 --seed 7')
    const { code, output, errors } = await ended
    t.is(code, 0, errors + output)
    t.regex(output, /; keys changed [1-9]\d* times\. .*, [1-9]\d* with a revoked key\.$/m)
  })

test.serial('has programs take turns under locks that are lost, and finds the one that takes none', async (t) => {
  const line = '--locks --lose-tail ids-redis --kill ids --every 3s --away 500ms --for 9s --load 10 --seed 7'
  const { code, output, errors } = await startDrill(t, line).ended
  t.is(code, 0, errors + output)
  t.regex(output, /^Anomalies: none$/m)
  t.regex(output, /^Programs took [1-9]\d* turns at 4 locks; /m)
  t.regex(
    output,
    /^The control, .*, was found by two at once \([1-9].* a late write that the shop refused \([1-9]\d*\)\.$/m,
  )
})

test.serial(
  'finds a wallet that was changed behind its back, ends early when asked to, and says so by its code',
  async (t) => {
    const { child, said, ended } = startDrill(t, '--restart ids --every 2s --for 5m --load 40')
    const [, dir = ''] = await said(/its data in (\S+)\.$/)
    await said(/restart ids-1: over/)
    const redis = new Redis(await paymentRedisIn(dir))
    const [wallet = ''] = await redis.keys('user:*')
    await redis.hincrby(wallet, 'credit', 7)
    redis.disconnect()
    child.kill('SIGINT')
    const { code, output, errors } = await ended
    t.is(code, 1, errors + output)
    t.regex(output, /^THE SHOP BROKE A PROMISE\./m)
    t.regex(output, /^ {2}money-not-conserved /m)
    t.true(output.includes(`replay-differs of ${wallet}`))
  },
)

test('says in one sentence what is wrong with its options, and ends with 2', async (t) => {
  const { code, output, errors } = await startDrill(t, '--kill nobody').ended
  t.is(code, 2)
  t.is(output, '')
  t.regex(errors, /^--kill takes one of .*; npm run drill -- --help shows the options\n$/)
})
