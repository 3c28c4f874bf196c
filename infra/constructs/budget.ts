import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';

/** By service and not by tag: a cost tag counts nothing until somebody activates it in the billing console. */
const SERVICES = ['AWS Lambda', 'Amazon DynamoDB'];

/** Tells somebody when the month becomes more expensive than it should. It stops nothing. */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, usd: number, email: string) {
    super(scope, id);
    const told = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
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
      notificationsWithSubscribers: [told('ACTUAL', 80), told('FORECASTED', 100)],
    });
  }
}
