"""The adapter to OpenCompass: configs, data set, evaluators, judge back end, discovery."""
