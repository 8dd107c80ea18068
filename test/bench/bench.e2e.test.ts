import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'

const MAIN = join(import.meta.dirname, 'main.ts')

const runBench = async (...parameters: string[]) => {
  const child = spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  return { code, output, errors }
}

test('measures checkouts and finds all money and goods again', async (t) => {
  const { code, output, errors } = await runBench('--seconds', '1', '--connections', '8', '--no-limits')
  t.is(code, 0, errors + output)
  t.regex(output, /^Conservation: holds/m)
  t.regex(output, /^ +8 +[\d,]+ .* none$/m)
  t.false(/^One script/m.test(output))
})

test('names an option that it does not know, and fails', async (t) => {
  const { code, output, errors } = await runBench('--secnds', '1')
  t.is(code, 1)
  t.is(output, '')
  t.regex(errors, /--secnds.*--help/)
})

test('refuses options that a shop at an address does not obey', async (t) => {
  const { code, errors } = await runBench('--url', 'http://127.0.0.1:1', '--replicas', '2')
  t.is(code, 1)
  t.regex(errors, /--replicas is for a shop of the benchmark's own/)
})
