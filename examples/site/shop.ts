/** The page with everything on the shelf. */
import { Router } from 'express';
import { csrfField } from './csrf.ts';
import { type Html, html } from './html.ts';
import { show } from './layout.ts';
import { drawing, euros, type Product, products } from './products.ts';

export const shopRoutes = Router();

shopRoutes.get('/', (req, res) => {
  const content = html`
    <section class="intro">
      <h1>Vessels for small, precious things</h1>
      <p class="quiet">Put some into your cart, sign in, and pull the plug on the server: all of it will still be here.</p>
    </section>
    <ul class="shelf">${[...products.values()].map(card)}</ul>`;
  show(req, res, 'Shop', content);
});

function card({ id, name, about, cents, tint, shape }: Product): Html {
  return html`
    <li class="card">
      <div class="picture ${tint}">${drawing(shape)}</div>
      <h2>${name}</h2>
      <p class="quiet">${about}</p>
      <form method="post" action="/cart/add">
        ${csrfField()}<input type="hidden" name="product" value="${id}">
        <span class="price">${euros(cents)}</span>
        <button>Add<span class="hidden"> ${name}</span> to cart</button>
      </form>
    </li>`;
}
