import { type Request, Router } from 'express';
import { session } from 'flacon';
import { requireVisitor } from './account.ts';
import {
  addToCart,
  type CartLine,
  cartLines,
  changeQuantity,
  itemsInCart,
  MOST_OF_ONE,
  removeFromCart,
} from './cart.ts';
import { csrfField } from './csrf.ts';
import { field } from './fields.ts';
import { type Html, html } from './html.ts';
import { show } from './layout.ts';
import { drawing, euros, type Product, products } from './products.ts';
import { SiteError } from './site-error.ts';

export const cartRoutes = Router();

cartRoutes.get('/cart', (req, res) => {
  const lines = cartLines();
  show(req, res, 'Cart', lines.length === 0 ? emptyCart() : fullCart(lines));
});

cartRoutes.post('/cart/add', (req, res) => {
  const product = chosenProduct(req);
  addToCart(product);
  session.flash(`${product.name} is in your cart.`);
  res.redirect(303, '/');
});

cartRoutes.post('/cart/change', (req, res) => {
  const quantity = Number(field(req, 'quantity'));
  if (Number.isInteger(quantity) && quantity >= 1 && quantity <= MOST_OF_ONE) {
    changeQuantity(chosenProduct(req), quantity);
  } else {
    session.flash(`A quantity is a whole number from 1 to ${MOST_OF_ONE}.`, 'error');
  }
  res.redirect(303, '/cart');
});

cartRoutes.post('/cart/remove', (req, res) => {
  const product = chosenProduct(req);
  removeFromCart(product);
  session.flash(`${product.name} is no longer in your cart.`);
  res.redirect(303, '/cart');
});

cartRoutes.post('/cart/order', requireVisitor('/cart'), (_req, res) => {
  if (itemsInCart() > 0) session.flash('Thank you! If this were a real shop, a parcel would be on its way.');
  delete session.cart;
  res.redirect(303, '/');
});

/** Only ids from the catalogue get into the cart, so that neither its size nor its keys are up to the visitor. */
function chosenProduct(req: Request): Product {
  const product = products.get(field(req, 'product'));
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

function fullCart(lines: CartLine[]): Html {
  const total = lines.reduce((sum, { product, quantity }) => sum + product.cents * quantity, 0);
  return html`
    <section class="middle">
      <h1>Your cart</h1>
      <ul class="sheet lines">${lines.map(cartLine)}</ul>
      <p class="total"><span>Total</span> <strong>${euros(total)}</strong></p>
      <form class="end" method="post" action="/cart/order">${csrfField()}<button>Place the order</button></form>
    </section>`;
}

function cartLine({ product: { id, name, cents, tint, shape }, quantity }: CartLine): Html {
  const hidden = html`${csrfField()}<input type="hidden" name="product" value="${id}">`;
  return html`
    <li>
      <span class="picture ${tint}">${drawing(shape)}</span>
      <div class="what"><h2>${name}</h2><p class="quiet small">${euros(cents)} each</p></div>
      <p class="price">${euros(cents * quantity)}</p>
      <form class="quantity" method="post" action="/cart/change">
        ${hidden}
        <label class="hidden" for="quantity-${id}">Quantity of ${name}</label>
        <input id="quantity-${id}" name="quantity" type="number" min="1" max="${MOST_OF_ONE}" value="${quantity}" required>
        <button class="second">Change<span class="hidden"> the quantity of ${name}</span></button>
      </form>
      <form class="remove" method="post" action="/cart/remove">
        ${hidden}<button class="link">Remove<span class="hidden"> ${name}</span></button>
      </form>
    </li>`;
}
