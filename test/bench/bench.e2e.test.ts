import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { startShop } from '../../env/local/shop.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

const runBench = async (line: string) => {
  const child = spawn(process.execPath, [MAIN, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  return { code, output, errors }
}

test.serial('measures checkouts and finds all money and goods again', async (t) => {
  const { code, output, errors } = await runBench('--warm-up 2 --seconds 1 --connections 8 --runs 2 --no-limits')
  t.is(code, 0, errors + output)
  t.regex(output, /^Conservation: holds/m)
  t.regex(output, /^connections +checkouts\/s +from +to /m)
  t.regex(output, /^ +8 +[\d,]+ .* none$/m)
  t.regex(output, /^ +order +[\d.]+ +\d+ +[\d.]+$/m)
  t.false(/^One script/m.test(output))
})

test.serial('measures a part of the peak in an open loop', async (t) => {
  const { code, output, errors } = await runBench('--warm-up 2 --seconds 1 --rate 30%')
  t.is(code, 0, errors + output)
  t.regex(output, /^The peak\nconnections/m)
  t.regex(output, /^due\/s .* not sent +not 200\n.* 0 +none$/m)
  t.regex(output, /^Conservation: holds/m)
})

test.serial('counts what requests other than checkouts did to each wallet', async (t) => {
  const { code, output, errors } = await runBench(
    '--warm-up 2 --seconds 1 --connections 8 --route add-funds --users 50',
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^Conservation: holds/m)
  const [, added = ''] = /credit 5,0{3},(\d{3},\d{3}) added/.exec(output) ?? []
  t.true(Number(added.replace(',', '')) > 100, output)
})

test.serial('loses no checkout while replicas die', async (t) => {
  const { code, output, errors } = await runBench(
    '--warm-up 2 --seconds 5 --connections 8 --kill stock --every 2s --replicas 2',
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^with deaths +[\d,]+ .* 0 +none$/m)
  t.regex(output, /^[12] deaths, one every 2.0 s \(stock-1, stock-2\): [\d.]+ % of the peak$/m)
  t.regex(output, /^Conservation: holds/m)
})

test.serial('compares with another shop in turns, and balances the books of both', async (t) => {
  const other = await startShop()
  t.teardown(other.stop)
  const { code, output, errors } = await runBench(
    `--warm-up 2 --seconds 4 --connections 4 --users 500 --items 500 --compare ${other.url}`,
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^ *ours +4 +[\d,]+ .* none\n *theirs +4 +[\d,]+ .* none$/m)
  t.regex(output, /^ +4 +\d+\.\d+ .* 2$/m)
  t.regex(output, /^Ours. Conservation: holds \(read from the Redis/m)
  t.regex(output, /^Theirs. Conservation: holds \(read by the routes/m)
})

test.serial('tells what is kept of each checkout, and how long the log parsers take', async (t) => {
  const { code, output, errors } = await runBench(
    '--warm-up 2 --seconds 1 --connections 8 --users 100 --items 100 --orders 9000 --finished 500 --no-limits',
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^500 checkouts finished before/m)
  t.regex(output, /9,000 orders, two lines, of 100 users; 100 items/)
  const [, bytes = ''] = /^ +order +[\d.]+ +(\d+) +[\d.]+$/m.exec(output) ?? []
  t.true(Number(bytes) > 100, output)
})

test('names an option that it does not know, and fails', async (t) => {
  const { code, output, errors } = await runBench('--secnds 1')
  t.is(code, 1)
  t.is(output, '')
  t.regex(errors, /--secnds.*--help/)
})

test('refuses options that a shop at an address does not obey', async (t) => {
  const { code, errors } = await runBench('--url http://127.0.0.1:1 --replicas 2')
  t.is(code, 1)
  t.regex(errors, /--replicas is for a shop of the benchmark's own/)
})
