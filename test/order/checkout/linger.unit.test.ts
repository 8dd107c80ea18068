import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { type Company, openCompany } from '../../../order/checkout/linger.ts'

const FEW = 6

/** A company of which a few have set out. */
const open = (): Company => {
  const company = openCompany()
  for (let n = 0; n < FEW; n += 1) company.join()
  return company
}

test('where few are under way nobody waits', (t) => {
  const company = openCompany()
  for (let n = 0; n < FEW; n += 1) t.is(company.join(), undefined)
  t.not(company.join(), undefined)
})

test('who is over makes room', (t) => {
  const company = open()
  company.over()
  t.is(company.join(), undefined)
})

test('as soon as enough have met they go, and who comes after them waits for others', async (t) => {
  const company = open()
  let gone = 0
  const come = () => company.join()?.then(() => gone++)
  for (let n = 0; n < 7; n += 1) void come()
  await turn()
  t.is(gone, 0)
  void come()
  await turn()
  t.is(gone, 8)
  const next = come()
  await turn()
  t.is(gone, 8)
  await next
  t.is(gone, 9)
})

test('who meets too few goes after some milliseconds, and all who came meanwhile do', async (t) => {
  const company = open()
  const startedAt = performance.now()
  await Promise.all([company.join(), company.join(), company.join()])
  t.true(performance.now() - startedAt >= 7)
})
