/** What Nest has beside handlers, on one of its platforms. Plays on Vitest and on `node:test`. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  DefaultValuePipe,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  Header,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type ModuleMetadata,
  type NestInterceptor,
  ParseIntPipe,
  Post,
  Redirect,
  Sse,
  Version,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, type HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { session as imported, type SessionStore } from 'flacon';
import { Session, SessionModule, sessionOf } from 'flacon/adapters/nestjs';
import { SessionInterface } from 'flacon';
import { MemoryStore } from 'flacon/stores/memory';
import { from, map, tap } from 'rxjs';
import { decorate } from './frameworks/decorate.ts';
