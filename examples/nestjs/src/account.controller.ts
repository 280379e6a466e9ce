import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  HttpStatus,
  Post,
  Redirect,
  UseGuards,
} from '@nestjs/common';
import { Session } from 'flacon/adapters/nestjs';
import { escapeHtml, page } from './page.js';
import { SignedInGuard } from './signed-in.guard.js';

@Controller()
export class AccountController {
  /** The place of a password check. */
  @Post('sign-in')
  @Redirect('/', HttpStatus.SEE_OTHER)
  signIn(@Session() session: Session, @Body('name') name: unknown): void {
    if (typeof name !== 'string' || name === '') throw new BadRequestException();
    // Another id for who is signed in: one that somebody planted before is worth nothing.
    session.regenerate();
    session.user = name;
    session.flash(`Welcome, ${name}`);
  }

  @Post('sign-out')
  @Redirect('/', HttpStatus.SEE_OTHER)
  signOut(@Session() session: Session): void {
    session.clear();
    session.regenerate();
    session.flash('Signed out');
  }

  @Get('account')
  @UseGuards(SignedInGuard)
  @Header('Content-Type', 'text/html; charset=utf-8')
  account(@Session('user') user: string): string {
    return page(`<p>The account of ${escapeHtml(user)}</p>`);
  }
}
