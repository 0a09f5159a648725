#include "harness/rule.h"
