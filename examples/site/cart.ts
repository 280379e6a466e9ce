/** The cart, which lives in the session and nowhere else. */
import { Router } from 'express';
import { session } from 'flacon';
import { requireVisitor } from './account.ts';
import { csrfField } from './csrf.ts';
import { SiteError } from './errors.ts';
import { field } from './fields.ts';
import { type Html, html } from './html.ts';
import { show } from './layout.ts';
import { drawing, euros, type Product, products } from './products.ts';

const MOST = 99;

export function count(cart: Record<string, number> = {}): number {
  return Object.values(cart).reduce((sum, quantity) => sum + quantity, 0);
}

export const cartRoutes = Router();

cartRoutes.get('/cart', (req, res) => {
  const lines = Object.entries(session.cart ?? {}).flatMap(([id, quantity]) => {
    const product = products.get(id);
    return product ? [{ product, quantity }] : [];
  });
  const total = lines.reduce((sum, { product, quantity }) => sum + product.cents * quantity, 0);
  show(req, res, 'Cart', lines.length === 0 ? emptyCart() : fullCart(lines, total));
});

cartRoutes.post('/cart/add', (req, res) => {
  const { id, name } = chosenProduct(field(req, 'product'));
  session.cart ??= {};
  // A change inside of what the session holds. It is noticed and saved; there is nothing to call.
  session.cart[id] = Math.min((session.cart[id] ?? 0) + 1, MOST);
  session.flash(`${name} is in your cart.`);
  res.redirect(303, '/');
});

cartRoutes.post('/cart/change', (req, res) => {
  const { id } = chosenProduct(field(req, 'product'));
  const quantity = Number(field(req, 'quantity'));
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > MOST) {
    session.flash(`A quantity is a whole number from 1 to ${MOST}.`, 'error');
  } else if (session.cart && Object.hasOwn(session.cart, id)) {
    session.cart[id] = quantity;
  }
  res.redirect(303, '/cart');
});

cartRoutes.post('/cart/remove', (req, res) => {
  const { id, name } = chosenProduct(field(req, 'product'));
  if (session.cart && Object.hasOwn(session.cart, id)) {
    delete session.cart[id];
    session.flash(`${name} is no longer in your cart.`);
  }
  res.redirect(303, '/cart');
});

cartRoutes.post('/cart/order', requireVisitor('/cart'), (_req, res) => {
  const items = count(session.pop('cart'));
  if (items > 0) session.flash('Thank you! If this were a real shop, a parcel would be on its way.');
  res.redirect(303, '/');
});

/** Only ids from the catalogue get into the cart, so that neither its size nor its keys are up to the visitor. */
function chosenProduct(id: string): Product {
  const product = products.get(id);
  if (!product) throw new SiteError(404, 'There is no such flask', 'It may have been taken out of the catalogue.');
  return product;
}

function emptyCart(): Html {
  return html`
    <section class="narrow center">
      <h1>Your cart is empty</h1>
      <p class="quiet">What you put into it stays there, even while the server restarts.</p>
      <p><a class="button" href="/">Find a flask</a></p>
    </section>`;
}

function fullCart(lines: { product: Product; quantity: number }[], total: number): Html {
  return html`
    <section class="middle">
      <h1>Your cart</h1>
      <ul class="lines">${lines.map(({ product, quantity }) => line(product, quantity))}</ul>
      <p class="total"><span>Total</span> <strong>${euros(total)}</strong></p>
      <form class="end" method="post" action="/cart/order">${csrfField()}<button>Place the order</button></form>
    </section>`;
}

function line({ id, name, cents, tint, shape }: Product, quantity: number): Html {
  const hidden = html`${csrfField()}<input type="hidden" name="product" value="${id}">`;
  return html`
    <li>
      <span class="thumbnail ${tint}">${drawing(shape)}</span>
      <div class="what"><h2>${name}</h2><p class="quiet">${euros(cents)} each</p></div>
      <form class="quantity" method="post" action="/cart/change">
        ${hidden}
        <label class="hidden" for="quantity-${id}">Quantity of ${name}</label>
        <input id="quantity-${id}" name="quantity" type="number" min="1" max="${MOST}" value="${quantity}" required>
        <button class="second">Change<span class="hidden"> the quantity of ${name}</span></button>
      </form>
      <p class="price">${euros(cents * quantity)}</p>
      <form method="post" action="/cart/remove">
        ${hidden}<button class="link">Remove<span class="hidden"> ${name}</span></button>
      </form>
    </li>`;
}
