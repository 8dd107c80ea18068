/**
 * What is an item?
 *
 * An item has a price and a number in stock. There are no reservations: what is shown is what can be had. One that is *withdrawn* can
 * be added to no order any more; orders that hold it already are still paid, at the price at which it was added.
 */
export type Item = { readonly stock: number; readonly price: number }

/** On what terms an item is sold. A version stands for these terms and no others; 1 is that of an item which was never changed. */
export type Offer = { readonly price: number; readonly withdrawn: boolean; readonly version: number }

/** What of it is to be changed. */
export type Change = { readonly price?: number | undefined; readonly withdrawn?: boolean | undefined }
