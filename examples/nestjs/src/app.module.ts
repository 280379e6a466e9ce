import { Module } from '@nestjs/common';
import { SessionModule } from 'flacon/adapters/nestjs';
import { AccountController } from './account.controller.js';
import { PagesController } from './pages.controller.js';
import { VisitsService } from './visits.service.js';

@Module({
  imports: [SessionModule.forRoot()],
  controllers: [PagesController, AccountController],
  providers: [VisitsService],
})
export class AppModule {}
