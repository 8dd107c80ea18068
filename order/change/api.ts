/**
 * How can an order be changed?
 *
 * A client says from which version (`If-Match`), or when it has made the change (`update_time`), as clients of an older back end do: of
 * those, an order has one line, and they read in `error` why something was refused.
 */
import * as v from 'valibot'
import { exactly, hasMoment, identifier, units } from '../../shared/contract/fields.ts'
import { keyReused, peerUnavailable, preconditionRequired, stale } from '../../shared/http/problems.ts'
import type { Rows } from '../../shared/http/route.ts'
import { LINES_MAX } from '../order.ts'
import {
  beingCheckedOut,
  changeCancelled,
  eventOutdated,
  itemWithdrawn,
  linePricesUnknown,
  methodLimits,
  noSuchItem,
  noSuchOrder,
  nothingKept,
  notOpen,
  orderCancelled,
  orderDeleted,
  orderEmpty,
  orderExpired,
  orderFull,
  outOfCredit,
  outOfStock,
  partlyRefunded,
  priceChanged,
  tooManyAmendments,
  userGone,
} from '../problems.ts'
import { orderChanging, orderContradicted } from '../refunds/problems.ts'
import { shownOrder } from '../schemas.ts'

const MUST_BE_TIME = 'be a time, as 2026-11-28T04:15:01.112Z or in milliseconds since 1970'
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/
/** In milliseconds. Without a zone it is that of the shop, UTC. */
const msOf = (text: string): number => Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
const time = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(TIME), v.check(hasMoment), v.transform(msOf))], MUST_BE_TIME),
  v.safeInteger(MUST_BE_TIME),
  v.minValue(0, MUST_BE_TIME),
)

/** All lines of an order can be replaced by others. */
const NAMED_MAX = 2 * LINES_MAX
const MUST_BE_LINES = `be a list of 1 to ${NAMED_MAX} lines, each of another item`
const lines = v.pipe(
  v.array(exactly({ item_id: identifier, quantity: units(0) }), MUST_BE_LINES),
  v.minLength(1, MUST_BE_LINES),
  v.maxLength(NAMED_MAX, MUST_BE_LINES),
  v.check((all) => new Set(all.map(({ item_id }) => item_id)).size === all.length, MUST_BE_LINES),
)

const wanted = v.pipe(
  exactly({
    lines: v.optional(lines),
    quantity: v.optional(units(0)),
    value: v.optional(units(0)),
    update_time: v.optional(time),
  }),
  v.forward(
    v.check(
      ({ lines, quantity, value }) => lines === undefined || (quantity === undefined && value === undefined),
      'not be given together with "quantity" or "value"',
    ),
    ['lines'],
  ),
  v.check((fields) => Object.values(fields).some((field) => field !== undefined), 'say what is to change'),
)

export const changes = {
  changeOrder: {
    method: 'PATCH',
    path: '/orders/{order}',
    summary:
      'Changes of how many pieces the lines of an order are; 0 removes a line, and others stay. Of one that is paid the difference is ' +
      'paid, or goes back',
    params: { order: identifier },
    query: {
      dry_run: v.pipe(
        v.optional(v.picklist(['true', 'false'], 'be "true" or "false"'), 'false'),
        v.transform((text) => text === 'true'),
      ),
    },
    headers: { 'if-match': v.optional(v.string()) },
    body: { fields: wanted },
    answers: { 200: { json: shownOrder }, 202: { json: shownOrder }, 204: { empty: true } },
    ifMatch: 'optional',
    fenced: true,
    problems: [
      noSuchOrder,
      noSuchItem,
      itemWithdrawn,
      priceChanged,
      linePricesUnknown,
      methodLimits,
      notOpen,
      orderCancelled,
      orderExpired,
      orderFull,
      orderEmpty,
      nothingKept,
      orderChanging,
      partlyRefunded,
      tooManyAmendments,
      orderContradicted,
      outOfCredit,
      outOfStock,
      userGone,
      changeCancelled,
      eventOutdated,
      stale,
      orderDeleted,
      beingCheckedOut,
      peerUnavailable,
      preconditionRequired,
      keyReused,
    ],
    error: 'word',
    repeatable: 'under-a-key',
    scope: 'customer',
    shownAt: '/orders/{order}',
  },
} as const satisfies Rows
