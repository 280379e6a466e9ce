/** NestJS 11 and 12, on Express and on Fastify. */
import { createParamDecorator, Inject, Module } from '@nestjs/common';
import type {
  ArgumentsHost,
  DynamicModule,
  FactoryProvider,
  ModuleMetadata,
  OnApplicationShutdown,
  PipeTransform,
  Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { currentSession } from '../core/context.ts';
import type { SessionOptions } from '../core/options.ts';
import type { SessionMembers, SessionData, Session as SessionType } from '../core/session.ts';
import { SessionInterface } from '../core/session-interface.ts';
import type { Awaitable } from '../core/store.ts';
import { SessionContextError } from '../errors.ts';
import { installSessions } from './nestjs-platform.ts';
import { type NestOptions, SessionSetup } from './nestjs-setup.ts';
