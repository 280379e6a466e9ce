import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { sessionOf } from 'flacon/adapters/nestjs';

/** 403 for strangers. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return sessionOf(context).user !== undefined;
  }
}
