/** A program that buys, run from where a stranger has it: outside of the tree, with the shop's package linked, or the client copied. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeFolder } from '../support/folder.ts'
import { ROOT, run } from '../support/program.ts'
import { shareShop } from '../support/shop/shop.ts'

const opened = shareShop(test)
const PROGRAM = join(import.meta.dirname, 'shopper.ts')
const OUTPUT = 'paid: 60\ncannot pay\ncosts 40\n412 stale\n'

const assertBuys = async (t: ExecutionContext, program: string, cwd: string): Promise<void> => {
  const { code, output, errors } = await run(t, [program, opened().shop.url], { cwd })
  t.is(output, OUTPUT, errors)
  t.is(code, 0)
}

test.serial('from a folder in which the package is linked, as npm links a folder', async (t) => {
  const folder = await makeFolder(t)
  await mkdir(join(folder, 'node_modules'))
  await symlink(ROOT, join(folder, 'node_modules/saga-shop'))
  await cp(PROGRAM, join(folder, 'shopper.ts'))
  await assertBuys(t, join(folder, 'shopper.ts'), folder)
})

test.serial('from a folder into which the client is copied', async (t) => {
  const folder = await makeFolder(t)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const name of ['client.ts', 'client'])
    await cp(join(ROOT, 'gateway', name), join(folder, name), { recursive: true })
  const text = await readFile(PROGRAM, 'utf8')
  await writeFile(join(folder, 'shopper.ts'), text.replaceAll(/'saga-shop\/(.*)'/g, "'./$1.ts'"))
  await assertBuys(t, join(folder, 'shopper.ts'), folder)
})
