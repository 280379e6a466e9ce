/**
 * The cart, which lives in the session and nowhere else. `session` is the session of whichever request is being served, so
 * nothing has to be passed along; and a change inside of what it holds is noticed and saved, so there is nothing to call.
 */
import { session } from 'flacon';
import { type Product, products } from './products.ts';

export const MOST_OF_ONE = 99;

export interface CartLine {
  readonly product: Product;
  readonly quantity: number;
}

export function cartLines(): CartLine[] {
  return Object.entries(session.cart ?? {}).flatMap(([id, quantity]) => {
    const product = products.get(id);
    // What has left the catalogue since has also left the cart.
    return product ? [{ product, quantity }] : [];
  });
}

export function itemsInCart(): number {
  return cartLines().reduce((sum, { quantity }) => sum + quantity, 0);
}

export function addToCart({ id }: Product): void {
  session.cart ??= {};
  session.cart[id] = Math.min((session.cart[id] ?? 0) + 1, MOST_OF_ONE);
}

/** Nothing for a product that is not in the cart. */
export function changeQuantity({ id }: Product, quantity: number): void {
  if (session.cart?.[id] !== undefined) session.cart[id] = quantity;
}

export function removeFromCart({ id }: Product): void {
  delete session.cart?.[id];
}
