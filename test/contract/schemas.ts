/**
 * How is a field, a body or an answer described?
 *
 * By the schema that reads it, as JSON Schema. What only code can check is left to the words of the complaint about it.
 */
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { shownHeld, shownLock, shownWaiting } from '../../ids/lock/schemas.ts'
import { order, shownCheckout, shownOrder } from '../../order/schemas.ts'
import { entry, mismatch, sagaStatus } from '../../shared/contract/queries.ts'

export type Schema = Readonly<Record<string, unknown>>

/** What stands under a name of its own, since more than one answer has it. */
const NAMED = {
  Order: order,
  WholeOrder: shownOrder,
  Checkout: shownCheckout,
  HeldLease: shownHeld,
  WaitingLease: shownWaiting,
  Lock: shownLock,
  LogEntry: entry,
  Saga: sagaStatus,
  Mismatch: mismatch,
} as const

/** A schema of valibot, as far as it is looked into here. */
type Part = {
  readonly type: string
  readonly requirement?: unknown
  readonly message?: unknown
  readonly pipe?: readonly Part[]
  readonly wrapped?: Part
  readonly options?: readonly (Part | string)[]
  readonly entries?: Readonly<Record<string, Part>>
  readonly item?: Part
  readonly items?: readonly Part[]
  readonly value?: Part
}

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && 'type' in value
/** It, or what it is made of, one after the other. */
const partsOf = (schema: Part): readonly Part[] =>
  schema.pipe?.flatMap((part) => (part.pipe ? partsOf(part) : part)) ?? [schema]
const requirementOf = (schema: Part, type: string): unknown =>
  partsOf(schema).find((part) => part.type === type)?.requirement

const isNumber = (schema: Part): boolean => partsOf(schema).some(({ type }) => type === 'number')
/** A number, or the text of one. */
const isUnits = (schema: Part): boolean =>
  schema.type === 'union' &&
  (schema.options ?? [])
    .filter(isPart)
    .every((option) => isNumber(option) || String(requirementOf(option, 'regex')).includes('(0|[1-9]'))

/**
 * All numbers of the shop are integers, but for those that say they are not; a text that stands for one is described as what it
 * stands for.
 */
const numberOf = (schema: Part): Part => {
  const [min, max] = [requirementOf(schema, 'min_value'), requirementOf(schema, 'max_value')]
  const isFraction = partsOf(schema).some(({ type }) => type === 'finite')
  return {
    ...v.number(),
    pipe: [
      ...(isFraction ? [v.number()] : [v.number(), v.integer()]),
      ...(typeof min === 'number' ? [v.minValue(min)] : []),
      ...(typeof max === 'number' ? [v.maxValue(max)] : []),
    ],
  }
}

const mapped = <Value>(all: Readonly<Record<string, Value>>, change: (value: Value) => Value) =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, change(value)]))

const nameOf = (schema: unknown): string | undefined => Object.entries(NAMED).find(([, one]) => one === schema)?.[0]
const isNamed = (schema: unknown): boolean => nameOf(schema) !== undefined

/** What is checked by a function, or said about a schema, says nothing of a form. */
const FORMLESS: readonly string[] = ['custom', 'metadata']

/** A schema as it is described, but for what is named in it. */
const describedAs = (schema: Part): Part => {
  if (isNumber(schema) || isUnits(schema)) return numberOf(schema)
  const { pipe, wrapped, options, entries, item, items, value } = schema
  // Of several forms nothing is true but what each says.
  if (schema.type === 'union' && pipe?.[0]) return describedAs(pipe[0])
  const change = <Value>(one: Value): Value => (isPart(one) && !isNamed(one) ? (describedAs(one) as Value) : one)
  return {
    ...schema,
    ...(pipe ? { pipe: pipe.filter(({ type }) => !FORMLESS.includes(type)).map(change) } : {}),
    ...(wrapped ? { wrapped: change(wrapped) } : {}),
    ...(options ? { options: options.map(change) } : {}),
    ...(entries ? { entries: mapped(entries, change) } : {}),
    ...(item ? { item: change(item) } : {}),
    ...(items ? { items: items.map(change) } : {}),
    ...(value ? { value: change(value) } : {}),
  }
}

const described = (schema: v.GenericSchema, typeMode: 'input' | 'output'): Schema => {
  const {
    $schema: _dialect,
    $defs: _defs,
    ...rest
  } = toJsonSchema(describedAs(schema as Part) as v.GenericSchema, {
    target: 'draft-2020-12',
    typeMode,
    errorMode: 'ignore',
    definitions: NAMED,
  })
  // References lead to the place where the document has what is named.
  return JSON.parse(JSON.stringify(rest).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema
}

/** What is named, by its name. */
export const namedSchemas = (): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, described(schema, 'output')]))

/** What is answered. A newer version may answer more. */
export const answered = (schema: v.GenericSchema): Schema =>
  isNamed(schema) ? { $ref: `#/components/schemas/${nameOf(schema)}` } : described(schema, 'output')

/** What a client sends. */
export const sent = (schema: v.GenericSchema): Schema => described(schema, 'input')

type Field = v.GenericSchema<string, unknown> | v.GenericSchema<string | undefined, unknown>

/** A parameter: its schema, and what it must be, in words. */
export const parameterOf = (field: Field) => {
  const { default: usual, ...schema } = described(field as v.GenericSchema, 'input')
  const inside = partsOf(field as Part).flatMap((part) => (part.wrapped ? [part, ...partsOf(part.wrapped)] : part))
  const must = inside.map(({ message }) => message).find((message) => typeof message === 'string')
  return {
    required: !inside.some(({ wrapped }) => wrapped !== undefined),
    ...(must === undefined ? {} : { description: `Must ${must}.` }),
    schema: usual === undefined ? schema : { ...schema, default: schema.type === 'integer' ? Number(usual) : usual },
  }
}
