"""infer: what is systematic, how sure, for whom. Takes measurements, gives tables of findings.

`cht` estimates (cluster-Huber t from mergeable sums), `verdicts` decides, `multiplicity` keeps the
promises over many annotators, `rates` does proportions, `shrinkage` ranks, `collective` asks first
whether everybody is off alike. Nothing here knows of files or images: groups and clusters are
integers.
"""
