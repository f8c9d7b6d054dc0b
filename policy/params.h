/*
 * params.h - the inputs behind the facts: parameters, and values that are not understood.
 *
 * The parameters of a policy are the inputs from IN_PARAM_0 on. What a program of the kernel decides by and that is
 * not understood is an input behind them, with a range and a name that says what it is (terms_input_name()): it may
 * be anything, and no request gives it.
 */
#ifndef DEVGUARD_POLICY_PARAMS_H
#define DEVGUARD_POLICY_PARAMS_H

#include "policy/rules.h"

/* The inputs behind so many parameters, as a set. */
input_set unknown_inputs(size_t nparams);

/* The policy with its parameters' values in place of the parameters. */
struct policy *policy_with_values(struct arena *a, const struct policy *p);

/* A policy is written with parameters only. So values that are not understood become parameters, whose names no
 * policy can have: `?`, a number, a blank, what it is. */
struct policy *policy_with_marks(struct arena *a, const struct policy *p);
/* And the other way: those with such names are none. */
void policy_without_marks(struct policy *p);
/* Is the same not understood of both? Of the second, marks were taken away. */
bool policy_same_marks(const struct policy *marked, const struct policy *unmarked);

#endif
