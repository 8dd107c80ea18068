/**
 * What is an item?
 *
 * An item has a price and a number in stock. There are no reservations: what is shown is what can be had.
 */
export type Item = { readonly stock: number; readonly price: number }
