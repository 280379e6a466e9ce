import { Controller, Get, Header } from '@nestjs/common';
import { Session } from 'flacon/adapters/nestjs';
import { escapeHtml, page } from './page.js';
import { VisitsService } from './visits.service.js';

@Controller()
export class PagesController {
  constructor(private readonly visits: VisitsService) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  home(@Session() session: Session): string {
    const messages = session.takeFlashes().map(([, text]) => `<p role="status">${escapeHtml(String(text))}</p>`);
    const account = session.user
      ? `<p>Signed in as ${escapeHtml(session.user)}. <a href="/account">Account</a></p>
         <form method="post" action="/sign-out"><button>Sign out</button></form>`
      : `<form method="post" action="/sign-in"><input name="name" aria-label="Name" required><button>Sign in</button></form>`;
    return page(`${messages.join('')}<p>Visit ${this.visits.count()}</p>${account}`);
  }
}
