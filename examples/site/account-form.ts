import { csrfField } from './csrf.ts';
import { type Html, html } from './html.ts';

/** The form for signing up or in, with what was typed before and what was wrong with it. */
export function accountForm(kind: 'sign-up' | 'sign-in', name: string, problem: string | undefined): Html {
  const isNew = kind === 'sign-up';
  const described = problem !== undefined && html`aria-describedby="problem"`;
  return html`
    <section class="narrow">
      <h1>${isNew ? 'Sign up' : 'Sign in'}</h1>
      <form class="sheet" method="post" action="/${kind}">
        ${csrfField()}
        ${problem !== undefined && html`<p class="message error" id="problem" role="alert">${problem}</p>`}
        <label for="name">Name</label>
        <input id="name" name="name" value="${name}" maxlength="40" required autocomplete="username" autocapitalize="none"
          spellcheck="false" ${described}>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" ${isNew && html`minlength="8"`} maxlength="200" required
          autocomplete="${isNew ? 'new-password' : 'current-password'}" ${described}>
        ${isNew && html`<p class="quiet small">At least 8 characters.</p>`}
        <button>${isNew ? 'Sign up' : 'Sign in'}</button>
      </form>
      <p class="quiet center">${
        isNew
          ? html`You have been here before? <a href="/sign-in">Sign in</a>`
          : html`New here? <a href="/sign-up">Sign up</a>`
      }</p>
    </section>`;
}
