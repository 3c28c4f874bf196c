import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import type { BudgetProps } from '../backend-props.ts';

/** By service, not by tag: a cost tag has no effect until it is activated in the billing console. */
const SERVICES = ['AWS Lambda', 'Amazon DynamoDB'];

/** Notifies when the costs of a month exceed the budget. It stops nothing. */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { usd, email }: BudgetProps) {
    super(scope, id);
    const notification = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
      subscribers: [{ subscriptionType: 'EMAIL', address: email }],
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: usd, unit: 'USD' },
        costFilters: { Service: SERVICES },
      },
      notificationsWithSubscribers: [notification('ACTUAL', 80), notification('FORECASTED', 100)],
    });
  }
}
